// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/stack_shield.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cordon::dp {
namespace {

// One rtnetlink request about traffic control of an interface, built in place.
class Request {
 public:
  Request(uint16_t type, uint16_t flags, const tcmsg& message) {
    header_.nlmsg_type = type;
    header_.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    Append(&header_, sizeof(header_));
    Append(&message, sizeof(message));
  }

  void Attribute(uint16_t type, const void* data, size_t size) {
    const rtattr attribute{static_cast<unsigned short>(RTA_LENGTH(size)), type};
    Append(&attribute, sizeof(attribute));
    Append(data, size);
  }
  void Attribute(uint16_t type, std::string_view text) {
    std::array<char, 16> terminated{};
    text.copy(terminated.data(), terminated.size() - 1);
    Attribute(type, terminated.data(), text.size() + 1);
  }
  size_t BeginNest(uint16_t type) {
    const size_t at = size_;
    Attribute(type, nullptr, 0);
    return at;
  }
  void EndNest(size_t at) {
    const auto length = static_cast<unsigned short>(size_ - at);
    std::memcpy(buffer_.data() + at + offsetof(rtattr, rta_len), &length, sizeof(length));
  }

  // 0 or the error number of the kernel's answer.
  int Send() {
    header_.nlmsg_len = static_cast<uint32_t>(size_);
    std::memcpy(buffer_.data(), &header_, sizeof(header_));
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return errno;
    struct {
      nlmsghdr header;
      nlmsgerr error;
      std::array<char, 512> rest;  // the request, echoed
    } answer{};
    const bool answered = send(fd, buffer_.data(), size_, 0) == static_cast<ssize_t>(size_) &&
                          recv(fd, &answer, sizeof(answer), 0) > 0;
    const int code = answered ? -answer.error.error : errno;
    close(fd);
    return code;
  }

 private:
  void Append(const void* data, size_t size) {
    if (size != 0) std::memcpy(buffer_.data() + size_, data, size);
    size_ += NLMSG_ALIGN(size);
  }

  nlmsghdr header_{};
  std::array<char, 512> buffer_{};
  size_t size_ = 0;
};

tcmsg Message(int interface_index, uint32_t parent) {
  tcmsg message{};
  message.tcm_family = AF_UNSPEC;
  message.tcm_ifindex = interface_index;
  message.tcm_parent = parent;
  return message;
}

}  // namespace

bool ShieldStack(int interface_index, std::string& error) {
  tcmsg hook = Message(interface_index, TC_H_CLSACT);
  hook.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
  Request attach(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, hook);
  attach.Attribute(TCA_KIND, "clsact");
  int code = attach.Send();
  if (code == 0 || code == EEXIST) {
    constexpr uint32_t kPriority = 1;
    tcmsg place = Message(interface_index, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
    place.tcm_info = TC_H_MAKE(kPriority << 16, htons(ETH_P_ALL));
    place.tcm_handle = 1;
    Request filter(RTM_NEWTFILTER, NLM_F_CREATE, place);
    filter.Attribute(TCA_KIND, "bpf");
    const size_t nest = filter.BeginNest(TCA_OPTIONS);
    const sock_filter drop = BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT);
    const uint16_t count = 1;
    const uint32_t flags = TCA_BPF_FLAG_ACT_DIRECT;
    filter.Attribute(TCA_BPF_FLAGS, &flags, sizeof(flags));
    filter.Attribute(TCA_BPF_OPS_LEN, &count, sizeof(count));
    filter.Attribute(TCA_BPF_OPS, &drop, sizeof(drop));
    filter.EndNest(nest);
    code = filter.Send();
  }
  if (code != 0) error = std::strerror(code);
  return code == 0;
}

}  // namespace cordon::dp
