// SPDX-License-Identifier: Apache-2.0
// One port: a DPDK ethdev with one receive and one transmit queue, set up so that no frame changes
// on its way (no offload that strips, merges, splits or fills in).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/io/interface.h"
#include "dataplane/io/options.h"
#include "dataplane/io/packet_socket.h"

struct rte_mempool;

namespace cordon::dp {

struct PortStatistics {
  std::string name;  // DPDK name
  std::string driver;
  bool link_up = false;
  uint64_t received_frames = 0;
  uint64_t transmitted_frames = 0;
  uint64_t receive_missed = 0;     // the queue was full
  uint64_t receive_no_buffer = 0;  // no free mbuf
  uint64_t receive_errors = 0;
  uint64_t transmit_errors = 0;
};

class Port {
 public:
  struct Setup {
    rte_mempool* pool = nullptr;
    size_t mtu = 1500;
    size_t capacity = 2048;  // longest frame a buffer of the pool takes
    Side side = Side::kDevice;
  };

  // Finds or creates the device, and starts it. Null, with the cause in `error` (without the key;
  // what DPDK logged is the caller's to add), if that fails. `warnings`: what an administrator
  // should know though the port works.
  static std::unique_ptr<Port> Open(const PortOptions& options, const Setup& setup,
                                    std::vector<std::string>& warnings, std::string& error);
  ~Port();  // stops and closes; no lane may use it any more
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  uint16_t id() const { return id_; }
  // The kernel took VLAN tags out and the driver put them back: see PacketSocket.
  bool has_packet_socket() const { return has_packet_socket_; }
  // Not for workers: takes system calls. One thread at a time.
  PortStatistics Statistics();

 private:
  Port() = default;
  bool Find(const PortOptions& options, size_t framesz, std::string& error);
  bool Configure(const Setup& setup, std::vector<std::string>& warnings, std::string& error);
  bool Guard(const Setup& setup, std::string& error);

  std::unique_ptr<Interface> interface_;  // null if the port is none of the kernel
  uint16_t id_ = 0;
  bool found_ = false;
  std::string name_;
  std::string driver_;
  bool has_packet_socket_ = false;
  PacketSocket packet_socket_;
};

}  // namespace cordon::dp
