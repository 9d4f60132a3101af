// SPDX-License-Identifier: Apache-2.0
// One port: a DPDK ethdev with as many receive and transmit queues as workers share its pair, set
// up so that no frame changes on its way (no offload that strips, merges, splits or fills in).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/io/buffers.h"
#include "dataplane/io/interface.h"
#include "dataplane/io/options.h"
#include "dataplane/io/packet_socket.h"

struct rte_eth_conf;
struct rte_eth_dev_info;
struct rte_mempool;

namespace cordon::dp {

struct PortStatistics {
  std::string name;  // DPDK name
  std::string driver;
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
    Side side = Side::kDevice;
    size_t mtu = 1500;
    uint16_t queues = 1;  // more than one: frames are dealt out by device
  };

  // Finds or creates the device. Null, with the cause in `error` (without the key; what DPDK logged
  // is the caller's to add), if that fails. `warnings`: what an administrator should know though
  // the port works.
  static std::unique_ptr<Port> Open(const PortOptions& options, const Setup& setup,
                                    std::vector<std::string>& warnings, std::string& error);
  ~Port();  // stops and closes; no lane may use it any more
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // What to start it with, if received frames leave by `other`.
  BufferNeed NeedsBuffers(const Port& other) const;
  // Configures and starts the device. Once; like Open.
  bool Start(const BufferNeed& need, rte_mempool* pool, std::vector<std::string>& warnings,
             std::string& error);

  uint16_t id() const { return id_; }
  const std::string& name() const { return name_; }
  const std::string& driver() const { return driver_; }
  int numa_node() const;
  // The kernel took VLAN tags out and the driver put them back: see PacketSocket.
  bool has_packet_socket() const { return has_packet_socket_; }
  // Longest frame it may send in several buffers; 0: only frames in one.
  uint32_t longest_chain() const { return longest_chain_; }

  // False while an interface of the kernel has no link: what is sent there then would leave, long
  // out of date, when the link is back. Written by ReadLink.
  const std::atomic<bool>& carries() const { return carries_; }

  // --- not for workers: take system calls. One thread at a time.
  PortStatistics Statistics();
  // --- not for workers either. One thread at a time, which may be another.
  Link ReadLink();
  // False if the port has no way to do it.
  bool SetLink(Link wanted);

 private:
  explicit Port(const Setup& setup) : setup_(setup) {}
  bool Find(const PortOptions& options, std::string& error);
  bool Examine(std::string& error);
  bool Configure(const BufferNeed& need, std::string& error);
  int SetUpQueues(const BufferNeed& need, rte_mempool* pool);
  bool SetMtu(std::vector<std::string>& warnings, std::string& error);
  bool Guard(std::string& error);
  PacketRing Ring() const;

  const Setup setup_;
  std::unique_ptr<Interface> interface_;  // null if the port is none of the kernel
  uint16_t id_ = 0;
  bool found_ = false;
  bool is_pci_ = false;
  std::string name_;
  std::string driver_;
  bool has_packet_socket_ = false;
  bool chains_received_ = false;  // the driver puts a frame in several buffers if it must
  uint32_t longest_chain_ = 0;
  PacketSocket packet_socket_;
  std::atomic<bool> carries_{true};
};

}  // namespace cordon::dp
