// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/interface.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <utility>

#include "dataplane/io/control_socket.h"
#include "dataplane/io/stack_shield.h"

namespace cordon::dp {
namespace {

struct Offload {
  uint32_t get;
  uint32_t set;
  uint32_t flag;  // bit of ETHTOOL_GFLAGS; 0: the whole value
  const char* name;
  const char* consequence;
};

constexpr std::array<Offload, 7> kOffloads = {{
    {ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM, 0, "tx", "checksums may be unfinished"},
    {ETHTOOL_GTSO, ETHTOOL_STSO, 0, "tso", "frames longer than the MTU are dropped"},
    {ETHTOOL_GGSO, ETHTOOL_SGSO, 0, "gso", "frames longer than the MTU are dropped"},
    {ETHTOOL_GGRO, ETHTOOL_SGRO, 0, "gro", "merged frames are dropped"},
    {ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_LRO, "lro", "merged frames are dropped"},
    {ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_RXVLAN, "rxvlan", "VLAN tags may be lost (af_xdp)"},
    {ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_TXVLAN, "txvlan", "VLAN tags may be lost (af_xdp)"},
}};

// True if the offload is off, or the interface does not know it.
bool SwitchOff(ControlSocket& socket, const Offload& offload) {
  ethtool_value value{offload.get, 0};
  if (!socket.Ethtool(value)) return errno == EOPNOTSUPP;
  const uint32_t mask = offload.flag == 0 ? ~0U : offload.flag;
  if ((value.data & mask) == 0) return true;
  ethtool_value wanted{offload.set, value.data & ~mask};
  return socket.Ethtool(wanted) && socket.Ethtool(value = {offload.get, 0}) &&
         (value.data & mask) == 0;
}

bool WriteSetting(const std::string& path, const char* value) {
  std::ofstream file(path);
  file << value << std::flush;
  return static_cast<bool>(file);
}

// The gateway has no address on the data path, so the stack of this machine must not speak there:
// without this it answers ARP for the management address and sends IPv6 router solicitations.
void SilenceStack(const std::string& name, ControlSocket& socket,
                  std::vector<std::string>& warnings) {
  const std::string ipv6 = "/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6";
  if (std::ifstream(ipv6) && !WriteSetting(ipv6, "1")) {
    warnings.push_back("interface " + name + ": IPv6 of this machine stays on: cannot write " +
                       ipv6);
  }
  if (!socket.Call(SIOCGIFFLAGS)) return;
  socket.request().ifr_flags |= static_cast<short>(IFF_UP | IFF_PROMISC | IFF_NOARP);
  if (!socket.Call(SIOCSIFFLAGS)) {
    warnings.push_back("interface " + name + ": cannot be brought up (" + std::strerror(errno) +
                       "): run as root, or: ip link set " + name + " up promisc on arp off");
  }
}

// A name in the abstract namespace, which is the network namespace's own and forgets with the
// process. -1 if another one holds it.
int Lock(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "cordon-port-" + name;
  std::memcpy(address.sun_path + 1, path.data(), path.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

}  // namespace

std::unique_ptr<Interface> Interface::Prepare(const std::string& name,
                                              std::vector<std::string>& warnings,
                                              std::string& error) {
  auto control = std::make_unique<ControlSocket>(name);
  ControlSocket& socket = *control;
  if (name.empty() || name.size() >= IFNAMSIZ || !socket.Call(SIOCGIFINDEX)) {
    error = "no network interface '" + name + "' in this network namespace";
    return nullptr;
  }
  const int index = socket.request().ifr_ifindex;
  if (socket.Call(SIOCGIFADDR)) {
    error = "interface '" + name +
            "' has an IP address: a data port must not have one, and the management interface must "
            "not be a data port";
    return nullptr;
  }
  std::unique_ptr<Interface> interface(new Interface(Lock(name), index, std::move(control)));
  if (interface->lock_ < 0) {
    error = "interface '" + name + "' is a port of another cordon-gateway";
    return nullptr;
  }
  for (const Offload& offload : kOffloads) {
    if (SwitchOff(socket, offload)) continue;
    warnings.push_back("interface " + name + ": offload '" + offload.name +
                       "' cannot be switched off: " + offload.consequence + "; try: ethtool -K " +
                       name + " " + offload.name + " off");
  }
  SilenceStack(name, socket, warnings);
  std::string refusal;
  if (!ShieldStack(index, refusal)) {
    warnings.push_back("interface " + name +
                       ": frames also reach the network stack of this machine (" + refusal +
                       "): keep data ports in a network namespace of their own");
  }
  if (socket.Call(SIOCGIFMTU)) interface->mtu_ = static_cast<size_t>(socket.request().ifr_mtu);
  return interface;
}

Interface::Interface(int lock, int index, std::unique_ptr<ControlSocket> control)
    : lock_(lock), index_(index), control_(std::move(control)) {}

bool Interface::SetMtu(size_t mtu) {
  control_->request().ifr_mtu = static_cast<int>(mtu);
  return control_->Call(SIOCSIFMTU);
}

Link Interface::ReadLink() {
  // Another interface may have taken the name of one that is gone.
  if (!control_->Call(SIOCGIFINDEX) || control_->request().ifr_ifindex != index_) {
    return Link::kGone;
  }
  if (!control_->Call(SIOCGIFFLAGS)) return Link::kGone;
  const int flags = control_->request().ifr_flags;
  if ((flags & IFF_UP) == 0) return Link::kDown;
  // The carrier itself: the kernel may be a second late to tell of a loss in the flags.
  ethtool_value carrier{ETHTOOL_GLINK, 0};
  const bool up = control_->Ethtool(carrier) ? carrier.data != 0 : (flags & IFF_RUNNING) != 0;
  return up ? Link::kUp : Link::kDown;
}

bool Interface::SetLink(Link wanted) {
  if (ReadLink() == Link::kGone || !control_->Call(SIOCGIFFLAGS)) return false;
  short& flags = control_->request().ifr_flags;
  flags = static_cast<short>(wanted == Link::kUp ? flags | IFF_UP : flags & ~IFF_UP);
  return control_->Call(SIOCSIFFLAGS);
}

Interface::~Interface() {
  if (lock_ >= 0) close(lock_);
}

}  // namespace cordon::dp
