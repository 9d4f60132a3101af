// SPDX-License-Identifier: Apache-2.0
// Makes a Linux interface fit to be a port: frames must look to the gateway as they do on the wire,
// and the machine's own network stack must keep quiet on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cordon::dp {

class ControlSocket;

enum class Link : uint8_t { kDown, kUp, kGone };  // gone: there is no such interface any more

// A Linux interface as long as it is a port. Only one gateway at a time: a second one would forward
// every frame twice, or take the first one's AF_XDP program away.
class Interface {
 public:
  // Switches off what would change, merge or split frames (checksum and segmentation offloads,
  // GRO, LRO, VLAN acceleration), switches on promiscuous mode and the link, and stops the stack
  // of this machine from hearing and answering there (see ShieldStack). What cannot be done is a
  // warning that says what follows from it. Null, with `error`, if there is no such interface or it
  // must not be used. The other end of a veth pair belongs to the device: its offloads must be off
  // too, or its frames arrive with unfinished checksums.
  static std::unique_ptr<Interface> Prepare(const std::string& name,
                                            std::vector<std::string>& warnings, std::string& error);
  ~Interface();
  Interface(const Interface&) = delete;
  Interface& operator=(const Interface&) = delete;

  size_t mtu() const { return mtu_; }
  // False, with errno, if the kernel refuses.
  bool SetMtu(size_t mtu);

  // --- one thread at a time, from any network namespace
  Link ReadLink();
  // Switches it up or down, so that the other end of the cable sees its link come or go. False if
  // the kernel refuses.
  bool SetLink(Link wanted);

 private:
  Interface(int lock, int index, std::unique_ptr<ControlSocket> control);
  const int lock_;
  const int index_;
  const std::unique_ptr<ControlSocket> control_;
  size_t mtu_ = 0;
};

}  // namespace cordon::dp
