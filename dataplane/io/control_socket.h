// SPDX-License-Identifier: Apache-2.0
// Requests to the kernel about one network interface, by name, in the network namespace that the
// thread was in when the socket was made.
#pragma once

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace cordon::dp {

class ControlSocket {
 public:
  explicit ControlSocket(const std::string& name)
      : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    std::strncpy(request_.ifr_name, name.c_str(), IFNAMSIZ - 1);
  }
  ~ControlSocket() {
    if (fd_ >= 0) close(fd_);
  }
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  // False, with errno, if the kernel refuses. The answer is in request().
  bool Call(unsigned long what) { return ioctl(fd_, what, &request_) == 0; }
  bool Ethtool(ethtool_value& value) {
    request_.ifr_data = reinterpret_cast<char*>(&value);
    return Call(SIOCETHTOOL);
  }
  ifreq& request() { return request_; }

 private:
  int fd_;
  ifreq request_{};
};

}  // namespace cordon::dp
