// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/port.h"

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstdlib>

#include "dataplane/io/rss.h"

namespace cordon::dp {
namespace {

constexpr uint16_t kDescriptors = 1024;
// Frames in each ring of an af_packet port: at 300,000 frames a second about 7 ms of patience.
constexpr uint32_t kRingFrames = 2048;
constexpr uint32_t kRingBytes = 8 << 20;  // of long frames there are fewer
constexpr uint32_t kRingBlockBytes = 65536;
constexpr size_t kTag = 4;

std::string ErrorText(int code) { return rte_strerror(std::abs(code)); }

std::string InterfaceDevice(const PortOptions& options, const PacketRing& ring, uint16_t queues) {
  if (options.driver == PortOptions::Driver::kAfXdp) {
    return "net_af_xdp_" + options.interface + ",iface=" + options.interface;
  }
  return "net_af_packet_" + options.interface + ",iface=" + options.interface +
         ",qpairs=" + std::to_string(queues) + ",blocksz=" + std::to_string(ring.block_bytes) +
         ",framesz=" + std::to_string(ring.frame_bytes) +
         ",framecnt=" + std::to_string(ring.frames) + ",qdisc_bypass=1";
}

// These would skip what an interface of the kernel needs to be a port: see Interface::Prepare.
bool NamesAnInterface(const std::string& device) {
  return device.starts_with("net_af_packet") || device.starts_with("net_af_xdp");
}

}  // namespace

PacketRing Port::Ring() const {
  const auto bytes = static_cast<uint32_t>(WholeFrameBytes(setup_.mtu));
  return {std::max(bytes, kRingBlockBytes), bytes, std::min(kRingFrames, kRingBytes / bytes)};
}

std::unique_ptr<Port> Port::Open(const PortOptions& options, const Setup& setup,
                                 std::vector<std::string>& warnings, std::string& error) {
  std::unique_ptr<Port> port(new Port(setup));
  if (!options.interface.empty()) {
    port->interface_ = Interface::Prepare(options.interface, warnings, error);
    if (!port->interface_) return nullptr;
    if (port->interface_->mtu() > setup.mtu + kTag) {
      warnings.push_back("interface " + options.interface + " has an MTU of " +
                         std::to_string(port->interface_->mtu()) +
                         ", above mtu: " + std::to_string(setup.mtu) +
                         " of the configuration: longer frames are dropped");
    }
  } else if (NamesAnInterface(options.port)) {
    error =
        "an interface of the kernel is given as interface: NAME (and driver: af_xdp), not as '" +
        options.port + "'";
    return nullptr;
  }
  if (!port->Find(options, error) || !port->Examine(error)) return nullptr;
  return port;
}

bool Port::Find(const PortOptions& options, std::string& error) {
  const std::string device =
      options.interface.empty() ? options.port : InterfaceDevice(options, Ring(), setup_.queues);
  const size_t comma = device.find(',');
  name_ = device.substr(0, comma);
  is_pci_ = IoOptions::IsPciAddress(name_);
  const std::string arguments = comma == std::string::npos ? "" : device.substr(comma + 1);
  found_ = rte_eth_dev_get_port_by_name(name_.c_str(), &id_) == 0;
  if (!found_ && !is_pci_) {
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

bool Port::Examine(std::string& error) {
  rte_eth_dev_info info{};
  const int code = rte_eth_dev_info_get(id_, &info);
  if (code != 0) {
    error = "port " + name_ + " does not answer: " + ErrorText(code);
    return false;
  }
  driver_ = info.driver_name == nullptr ? "" : info.driver_name;
  has_packet_socket_ = driver_ == "net_af_packet";
  // memif and pcap do it unasked and do not say so.
  chains_received_ = (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0 ||
                     driver_ == "net_memif" || driver_ == "net_pcap";
  const bool chains_sent =
      (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0 || driver_ == "net_pcap";
  if (chains_sent) longest_chain_ = static_cast<uint32_t>(LongestFrame(setup_.mtu));
  if (info.max_mtu < setup_.mtu) {
    error = "driver " + driver_ + " carries an MTU of at most " + std::to_string(info.max_mtu) +
            ", mtu is " + std::to_string(setup_.mtu);
    return false;
  }
  if (setup_.queues == 1 || has_packet_socket_) return true;
  if (!is_pci_) {
    error = "driver " + driver_ + " cannot deal frames out to several workers: workers: 1";
    return false;
  }
  RssRequest unused;
  return PlanRss(id_, setup_.side, setup_.queues, unused, error);
}

int Port::numa_node() const { return rte_eth_dev_socket_id(id_); }

BufferNeed Port::NeedsBuffers(const Port& other) const {
  const size_t whole = WholeFrameBytes(setup_.mtu);
  const bool may_chain = chains_received_ && other.longest_chain_ != 0;
  return {numa_node(), may_chain ? std::min(whole, kSegmentBytes) : whole, setup_.queues};
}

bool Port::Configure(const BufferNeed& need, std::string& error) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id_, &info) != 0) return false;
  rte_eth_conf configuration{};
  // Frames in several buffers leave as they came, where the driver needs to be told.
  configuration.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  if (need.bytes < LongestFrame(setup_.mtu)) {
    configuration.rxmode.offloads |= info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
  }
  RssRequest rss;
  if (setup_.queues > 1 && is_pci_) {
    if (!PlanRss(id_, setup_.side, setup_.queues, rss, error)) return false;
    configuration.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    configuration.rx_adv_conf.rss_conf = {rss.key.data(), static_cast<uint8_t>(rss.key.size()),
                                          rss.types};
  }
  const int code = rte_eth_dev_configure(id_, setup_.queues, setup_.queues, &configuration);
  if (code != 0) error = ErrorText(code);
  return code == 0;
}

int Port::SetUpQueues(const BufferNeed& need, rte_mempool* pool) {
  uint16_t receive = kDescriptors;
  uint16_t transmit = kDescriptors;
  int code = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &receive, &transmit);
  const auto socket = static_cast<unsigned>(need.numa_node);
  for (uint16_t queue = 0; queue < setup_.queues && code == 0; ++queue) {
    code = rte_eth_rx_queue_setup(id_, queue, receive, socket, nullptr, pool);
    if (code == 0) code = rte_eth_tx_queue_setup(id_, queue, transmit, socket, nullptr);
  }
  return code;
}

// Two VLAN tags come on top of the MTU. Drivers of NICs count none, one or two of them in the
// overhead they show; the kernel takes one for granted.
bool Port::SetMtu(std::vector<std::string>& warnings, std::string& error) {
  size_t mtu = setup_.mtu;
  if (interface_) {
    if (interface_->SetMtu(mtu + kTag)) return true;
    error = "the kernel refuses an MTU of " + std::to_string(mtu + kTag);
    return false;
  }
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id_, &info) != 0) return false;
  constexpr size_t kHeaderAndFcs = 14 + 4;
  if (info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu) {
    const size_t overhead = info.max_rx_pktlen - info.max_mtu;
    mtu += std::max(overhead, kHeaderAndFcs + 2 * kTag) - overhead;
    mtu = std::min<size_t>(mtu, info.max_mtu);
  }
  const int code = rte_eth_dev_set_mtu(id_, static_cast<uint16_t>(mtu));
  if (code == 0 || code == -ENOTSUP) return true;  // virtual devices have no MTU of their own
  const std::string what = "MTU " + std::to_string(mtu) + " refused: " + ErrorText(code);
  if (is_pci_) {
    error = what;
  } else {
    warnings.push_back("port " + name_ + ": " + what);
  }
  return !is_pci_;
}

bool Port::Start(const BufferNeed& need, rte_mempool* pool, std::vector<std::string>& warnings,
                 std::string& error) {
  int code = 0;
  if (Configure(need, error) && SetMtu(warnings, error)) {
    code = SetUpQueues(need, pool);
    if (code == 0) code = rte_eth_dev_start(id_);
    if (code != 0) error = ErrorText(code);
    if (code == 0 && setup_.queues > 1 && is_pci_) FillRssTable(id_, setup_.queues, error);
  }
  if (!error.empty()) {
    error = "port " + name_ + " cannot be set up: " + error;
    return false;
  }
  const int promiscuous = rte_eth_promiscuous_enable(id_);
  if (promiscuous != 0 && promiscuous != -ENOTSUP) {
    warnings.push_back("port " + name_ + ": promiscuous mode refused: " + ErrorText(promiscuous));
  }
  return Guard(error);
}

bool Port::Guard(std::string& error) {
  if (!has_packet_socket_) return true;
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id_, &info) != 0) return false;
  return packet_socket_.Replace(static_cast<int>(info.if_index), setup_.side, Ring(), error);
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

Link Port::ReadLink() {
  if (interface_) {
    const Link link = interface_->ReadLink();
    if (link == Link::kUp && !carries_) packet_socket_.ForgetErrors();
    carries_ = link == Link::kUp;
    return link;
  }
  rte_eth_link link{};
  const int code = rte_eth_link_get_nowait(id_, &link);
  if (code == -ENODEV || code == -EIO || rte_eth_dev_is_removed(id_) == 1) return Link::kGone;
  return code == 0 && link.link_status != 0 ? Link::kUp : Link::kDown;
}

bool Port::SetLink(Link wanted) {
  if (interface_) return interface_->SetLink(wanted);
  return (wanted == Link::kUp ? rte_eth_dev_set_link_up(id_) : rte_eth_dev_set_link_down(id_)) == 0;
}

}  // namespace cordon::dp
