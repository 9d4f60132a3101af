// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/packet_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>

namespace cordon::dp {
namespace {

constexpr uint32_t Ancillary(int what) { return static_cast<uint32_t>(SKF_AD_OFF + what); }
constexpr uint32_t LinkLayer(int offset) { return static_cast<uint32_t>(SKF_LL_OFF + offset); }
constexpr uint32_t NetworkLayer(int offset) { return static_cast<uint32_t>(SKF_NET_OFF + offset); }

bool IsPacketSocketOn(int fd, int interface_index) {
  sockaddr_ll address{};
  socklen_t size = sizeof(address);
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
         address.sll_family == AF_PACKET && address.sll_ifindex == interface_index;
}

// In the order the driver opened them, which is the order of its queues: each open takes the lowest
// number that is free.
std::vector<int> FindSockets(int interface_index) {
  std::vector<int> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const std::string name = entry.path().filename();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (fd >= 0 && IsPacketSocketOn(fd, interface_index)) found.push_back(fd);
  }
  std::sort(found.begin(), found.end());
  return found;
}

struct Mapping {
  void* address = nullptr;
  size_t bytes = 0;
};

// Where the driver has mapped the rings of a socket.
Mapping FindMapping(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return {};
  const std::string wanted = "socket:[" + std::to_string(status.st_ino) + "]";
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    if (line.size() < wanted.size() || !line.ends_with(wanted)) continue;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &begin, &end) != 2) continue;
    return {reinterpret_cast<void*>(begin), end - begin};
  }
  return {};
}

template <typename Value>
bool Set(int fd, int level, int option, const Value& value) {
  return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

bool SetProgram(int fd, int level, int option, std::span<const sock_filter> code) {
  const sock_fprog program{static_cast<unsigned short>(code.size()),
                           const_cast<sock_filter*>(code.data())};
  return Set(fd, level, option, program);
}

// Hears nothing yet: bound to no protocol, and refusing all.
int OpenSocket(const tpacket_req& request) {
  const sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, 0);
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int version = TPACKET_V2;
  const int on = 1;
  // PACKET_LOSS: a frame that cannot be sent is skipped, or it would block the ring for ever.
  if (SetProgram(fd, SOL_SOCKET, SO_ATTACH_FILTER, {&refuse, 1}) &&
      Set(fd, SOL_PACKET, PACKET_VERSION, version) && Set(fd, SOL_PACKET, PACKET_LOSS, on) &&
      Set(fd, SOL_PACKET, PACKET_QDISC_BYPASS, on) &&
      Set(fd, SOL_PACKET, PACKET_RX_RING, request) &&
      Set(fd, SOL_PACKET, PACKET_TX_RING, request)) {
    return fd;
  }
  close(fd);
  return -1;
}

// Puts a socket of ours where one of the driver's was: number and mapping stay what they were.
bool Exchange(int fd, const tpacket_req& request) {
  const Mapping mapping = FindMapping(fd);
  const size_t bytes = size_t{2} * request.tp_block_size * request.tp_block_nr;
  if (mapping.bytes != bytes) {
    errno = ENXIO;
    return false;
  }
  const int fresh = OpenSocket(request);
  if (fresh < 0) return false;
  const bool mapped = mmap(mapping.address, bytes, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_LOCKED | MAP_FIXED, fresh, 0) != MAP_FAILED;
  const bool placed = mapped && dup3(fresh, fd, O_CLOEXEC) == fd;
  const int cause = errno;
  close(fresh);
  errno = cause;
  return placed;
}

bool Bind(int fd, int interface_index) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = interface_index;
  return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

// Deals frames out by the lower four bytes of the device's MAC address, stirred, because makers
// number in steps. Frames to a group go to the first queue, but DHCP's answers to the one of the
// client they name: the worker that saw the question must learn the address.
bool DealOut(std::span<const int> sockets, Side side) {
  const int mac = side == Side::kDevice ? ETH_ALEN : 0;
  constexpr int kUdpTo = 22, kClientMac = 20 + 8 + 28 + 2;  // from an IPv4 header without options
  const std::array<sock_filter, 17> code = {{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, LinkLayer(mac)),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 2, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LinkLayer(mac + 2)),
      BPF_STMT(BPF_JMP | BPF_JA, 9),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, Ancillary(SKF_AD_PROTOCOL)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 10),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NetworkLayer(0)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x45, 0, 8),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NetworkLayer(9)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NetworkLayer(kUdpTo)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NetworkLayer(kClientMac)),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
      BPF_STMT(BPF_RET | BPF_A, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  int group = (PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
  for (const int fd : sockets) {
    if (!Set(fd, SOL_PACKET, PACKET_FANOUT, group)) return false;
    socklen_t size = sizeof(group);
    if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group, &size) != 0) return false;
    group = (group & 0xffff) | PACKET_FANOUT_CBPF << 16;
  }
  return SetProgram(sockets.front(), SOL_PACKET, PACKET_FANOUT_DATA, code);
}

// Jumps: instructions to skip if true, if false.
bool Filter(int fd, uint32_t capacity) {
  const std::array<sock_filter, 12> code = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, Ancillary(SKF_AD_PKTTYPE)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 9, 0),  // not received: not a frame
      BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, capacity, 6, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, Ancillary(SKF_AD_VLAN_TAG_PRESENT)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, Ancillary(SKF_AD_VLAN_TPID)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0x40000),  // whole
      BPF_STMT(BPF_RET | BPF_K, kFilteredTagLost),
      BPF_STMT(BPF_RET | BPF_K, kFilteredTooLong),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  return SetProgram(fd, SOL_SOCKET, SO_ATTACH_FILTER, code);
}

}  // namespace

bool PacketSocket::Replace(int interface_index, Side side, const PacketRing& ring,
                           std::string& error) {
  const tpacket_req request{
      .tp_block_size = ring.block_bytes,
      .tp_block_nr = ring.frames / (ring.block_bytes / ring.frame_bytes),
      .tp_frame_size = ring.frame_bytes,
      .tp_frame_nr = ring.frames,
  };
  sockets_ = FindSockets(interface_index);
  if (sockets_.empty()) {
    error = "the driver has no packet socket on the interface";
    return false;
  }
  const auto fails = [&](const char* what) {
    error = std::string("the kernel refuses ") + what + ": " + std::strerror(errno);
    return false;
  };
  for (const int fd : sockets_) {
    if (!Exchange(fd, request)) return fails("a packet socket without reassembly");
    if (!Bind(fd, interface_index)) return fails("to bind a packet socket");
  }
  if (sockets_.size() > 1 && !DealOut(sockets_, side)) return fails("to deal frames out");
  for (const int fd : sockets_) {
    if (!Filter(fd, ring.capacity())) return fails("the filter that guards VLAN tags");
  }
  return true;
}

void PacketSocket::ForgetErrors() {
  for (const int fd : sockets_) {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);  // reading clears it
  }
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
