// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/port.h"

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstdlib>

namespace cordon::dp {
namespace {

constexpr uint16_t kDescriptors = 1024;
// Frames in each ring of an af_packet port: at 300,000 frames a second about 7 ms of patience.
constexpr uint32_t kRingFrames = 2048;
constexpr uint32_t kRingBlockBytes = 65536;

std::string ErrorText(int code) { return rte_strerror(std::abs(code)); }

PacketRing RingOf(size_t slot) {
  const auto bytes = static_cast<uint32_t>(slot);
  return {std::max(bytes, kRingBlockBytes), bytes, kRingFrames};
}

std::string InterfaceDevice(const PortOptions& options, const PacketRing& ring) {
  if (options.driver == PortOptions::Driver::kAfXdp) {
    return "net_af_xdp_" + options.interface + ",iface=" + options.interface;
  }
  return "net_af_packet_" + options.interface + ",iface=" + options.interface +
         ",blocksz=" + std::to_string(ring.block_bytes) +
         ",framesz=" + std::to_string(ring.frame_bytes) +
         ",framecnt=" + std::to_string(ring.frames) + ",qdisc_bypass=1";
}

}  // namespace

std::unique_ptr<Port> Port::Open(const PortOptions& options, const Setup& setup,
                                 std::vector<std::string>& warnings, std::string& error) {
  std::unique_ptr<Port> port(new Port);
  if (!options.interface.empty()) {
    port->interface_ = Interface::Prepare(options.interface, warnings, error);
    if (!port->interface_) return nullptr;
    if (port->interface_->mtu() > setup.mtu) {
      warnings.push_back("interface " + options.interface + " has an MTU of " +
                         std::to_string(port->interface_->mtu()) +
                         ", above mtu: " + std::to_string(setup.mtu) +
                         " of the configuration: longer frames are dropped");
    }
  }
  if (!port->Find(options, setup.capacity, error) || !port->Configure(setup, warnings, error) ||
      !port->Guard(setup, error)) {
    return nullptr;
  }
  return port;
}

bool Port::Find(const PortOptions& options, size_t framesz, std::string& error) {
  const std::string device =
      options.interface.empty() ? options.port : InterfaceDevice(options, RingOf(framesz));
  const size_t comma = device.find(',');
  name_ = device.substr(0, comma);
  const std::string arguments = comma == std::string::npos ? "" : device.substr(comma + 1);
  found_ = rte_eth_dev_get_port_by_name(name_.c_str(), &id_) == 0;
  if (!found_ && !IoOptions::IsPciAddress(name_)) {
    const int code = rte_vdev_init(name_.c_str(), arguments.c_str());
    if (code < 0) {
      error = "DPDK cannot make '" + device + "': ";
      // -1 is no error number: DPDK has no driver whose name begins that, or it has logged more.
      error += code == -1 ? "no such driver, or wrong arguments" : ErrorText(code);
      return false;
    }
    found_ = rte_eth_dev_get_port_by_name(name_.c_str(), &id_) == 0;
  }
  if (!found_) {
    error = "DPDK has no port '" + name_ +
            "'; a PCI device must be bound to vfio-pci (dpdk-devbind.py --status)";
  }
  return found_;
}

bool Port::Configure(const Setup& setup, std::vector<std::string>& warnings, std::string& error) {
  rte_eth_dev_info info{};
  int code = rte_eth_dev_info_get(id_, &info);
  driver_ = code == 0 && info.driver_name != nullptr ? info.driver_name : "";
  rte_eth_conf configuration{};
  // Frames in several buffers leave as they came, where the driver needs to be told.
  configuration.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  if (code == 0) code = rte_eth_dev_configure(id_, 1, 1, &configuration);
  // Virtual devices have no MTU of their own.
  if (code == 0) {
    const int mtu = rte_eth_dev_set_mtu(id_, static_cast<uint16_t>(setup.mtu));
    if (mtu != 0 && mtu != -ENOTSUP) {
      warnings.push_back("port " + name_ + ": MTU " + std::to_string(setup.mtu) +
                         " refused: " + ErrorText(mtu));
    }
  }
  uint16_t receive = kDescriptors;
  uint16_t transmit = kDescriptors;
  if (code == 0) code = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &receive, &transmit);
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(id_));
  if (code == 0) code = rte_eth_rx_queue_setup(id_, 0, receive, socket, nullptr, setup.pool);
  if (code == 0) code = rte_eth_tx_queue_setup(id_, 0, transmit, socket, nullptr);
  if (code == 0) code = rte_eth_dev_start(id_);
  if (code != 0) {
    error = "port " + name_ + " cannot be set up: " + ErrorText(code);
    return false;
  }
  const int promiscuous = rte_eth_promiscuous_enable(id_);
  if (promiscuous != 0 && promiscuous != -ENOTSUP) {
    warnings.push_back("port " + name_ + ": promiscuous mode refused: " + ErrorText(promiscuous));
  }
  return true;
}

bool Port::Guard(const Setup& setup, std::string& error) {
  rte_eth_dev_info info{};
  has_packet_socket_ = driver_ == "net_af_packet";
  if (!has_packet_socket_) return true;
  if (rte_eth_dev_info_get(id_, &info) != 0) return false;
  return packet_socket_.Replace(static_cast<int>(info.if_index), setup.side, RingOf(setup.capacity),
                                error);
}

Port::~Port() {
  if (!found_) return;
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
}

PortStatistics Port::Statistics() {
  PortStatistics result;
  result.name = name_;
  result.driver = driver_;
  rte_eth_link link{};
  result.link_up = rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status != 0;
  rte_eth_stats counts{};
  if (rte_eth_stats_get(id_, &counts) == 0) {
    result.received_frames = counts.ipackets;
    result.transmitted_frames = counts.opackets;
    result.receive_missed = counts.imissed;
    result.receive_no_buffer = counts.rx_nombuf;
    result.receive_errors = counts.ierrors;
    result.transmit_errors = counts.oerrors;
  }
  if (has_packet_socket_) result.receive_missed += packet_socket_.DroppedFrames();
  return result;
}

}  // namespace cordon::dp
