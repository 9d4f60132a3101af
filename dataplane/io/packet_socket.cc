// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/packet_socket.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace cordon::dp {
namespace {

constexpr uint32_t Ancillary(int what) { return static_cast<uint32_t>(SKF_AD_OFF + what); }

bool IsPacketSocketOn(int fd, int interface_index) {
  sockaddr_ll address{};
  socklen_t size = sizeof(address);
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
         address.sll_family == AF_PACKET && address.sll_ifindex == interface_index;
}

std::vector<int> FindSockets(int interface_index) {
  std::vector<int> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const std::string name = entry.path().filename();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (fd >= 0 && IsPacketSocketOn(fd, interface_index)) found.push_back(fd);
  }
  return found;
}

}  // namespace

bool PacketSocket::Attach(int interface_index, size_t capacity, std::string& error) {
  // Jumps: instructions to skip if true, if false.
  std::array<sock_filter, 12> code = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, Ancillary(SKF_AD_PKTTYPE)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 9, 0),  // not received: not a frame
      BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, static_cast<uint32_t>(capacity), 6, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, Ancillary(SKF_AD_VLAN_TAG_PRESENT)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, Ancillary(SKF_AD_VLAN_TPID)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0x40000),  // whole
      BPF_STMT(BPF_RET | BPF_K, kFilteredTagLost),
      BPF_STMT(BPF_RET | BPF_K, kFilteredTooLong),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  sockets_ = FindSockets(interface_index);
  if (sockets_.empty()) {
    error = "the driver has no packet socket on the interface";
    return false;
  }
  for (const int fd : sockets_) {
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0) continue;
    error =
        std::string("the kernel refuses the filter that guards VLAN tags: ") + std::strerror(errno);
    return false;
  }
  return true;
}

uint64_t PacketSocket::DroppedFrames() {
  for (const int fd : sockets_) {
    tpacket_stats now{};  // since the last call
    socklen_t size = sizeof(now);
    if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &now, &size) == 0) dropped_ += now.tp_drops;
  }
  return dropped_;
}

}  // namespace cordon::dp
