// SPDX-License-Identifier: Apache-2.0
// bench-reference: what a good engineer writes in an afternoon with DPDK's own parts. One core
// forwards between two ports and enforces a model's policy:
//
//   bench-reference EAL-OPTIONS -- MODEL-OPTIONS --enforce acl|flows [--flow-capacity N]
//       [--mbufs N] [--room BYTES]
//
// acl: rte_acl judges every frame from the devices; the way back is open. flows: a frame of a flow
// in an rte_hash table passes either way; one that is in none is judged by rte_acl if it comes from
// a device, and its flow entered. No MAC or VLAN is looked at, no header is checked, no TCP state
// is kept and no flow ever ends: it does less than a gateway must. IPv4 only.
#include <rte_acl.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_mbuf.h>

#include <array>
#include <bit>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/model_options.h"

namespace {

using namespace cordon::bench;

constexpr uint16_t kBurst = 32;
constexpr size_t kProtocolOffset = 23, kAddressesOffset = 26, kPortsOffset = 34;

volatile std::sig_atomic_t stop_requested = 0;

struct Options {
  TrafficOptions traffic;
  bool keeps_flows = false;
  uint32_t flow_capacity = 1 << 21;
  unsigned mbufs = 65535;
  uint16_t room = RTE_MBUF_DEFAULT_BUF_SIZE;
};

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench-reference: " << what << '\n';
  std::exit(1);
}

// What rte_acl reads, in wire order; rte_acl wants the one-byte field first, the others in fours.
struct AclKey {
  uint8_t protocol = 0;
  uint8_t source[4], destination[4];
  uint8_t source_port[2], destination_port[2];
};
static_assert(sizeof(AclKey) == 13);

struct FlowKey {  // the device's end first
  uint32_t device = 0, peer = 0;
  uint16_t device_port = 0, peer_port = 0;
  uint32_t protocol = 0;
};

RTE_ACL_RULE_DEF(AclRule, 5);

constexpr rte_acl_field_def kFields[5] = {
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, 0, 0}, {RTE_ACL_FIELD_TYPE_MASK, 4, 1, 1, 1},
    {RTE_ACL_FIELD_TYPE_MASK, 4, 2, 2, 5},    {RTE_ACL_FIELD_TYPE_RANGE, 2, 3, 3, 9},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, 4, 3, 11},
};

std::vector<AclRule> RulesOf(const Model& model) {
  std::vector<AclRule> rules;
  for (const ModelDevice& device : model.devices) {
    for (const ModelRule& from : device.rules) {
      AclRule rule{};
      rule.data.category_mask = 1;
      rule.data.priority = 1;
      rule.data.userdata = static_cast<uint32_t>(rules.size() + 1);
      rule.field[0].value.u8 = from.protocol;
      rule.field[0].mask_range.u8 = 0xff;
      rule.field[1].value.u32 = device.ip;
      rule.field[1].mask_range.u32 = 32;
      rule.field[2].value.u32 = from.network;
      rule.field[2].mask_range.u32 = static_cast<uint32_t>(from.length);
      rule.field[3].mask_range.u16 = 0xffff;
      rule.field[4].value.u16 = from.first_port;
      rule.field[4].mask_range.u16 = from.last_port;
      rules.push_back(rule);
    }
  }
  return rules;
}

rte_acl_ctx* BuildAcl(const Model& model) {
  const std::vector<AclRule> rules = RulesOf(model);
  const rte_acl_param parameters{"bench", SOCKET_ID_ANY, RTE_ACL_RULE_SZ(5),
                                 static_cast<uint32_t>(rules.size())};
  rte_acl_ctx* acl = rte_acl_create(&parameters);
  rte_acl_config config{};
  config.num_categories = 1;
  config.num_fields = 5;
  std::memcpy(config.defs, kFields, sizeof kFields);
  const uint64_t start = rte_rdtsc();
  if (acl == nullptr ||
      rte_acl_add_rules(acl, reinterpret_cast<const rte_acl_rule*>(rules.data()),
                        static_cast<uint32_t>(rules.size())) != 0 ||
      rte_acl_build(acl, &config) != 0) {
    Fail("rte_acl cannot hold these rules");
  }
  std::printf(
      "{\"rules\":%zu,\"build_ms\":%.1f}\n", rules.size(),
      static_cast<double>(rte_rdtsc() - start) * 1e3 / static_cast<double>(rte_get_tsc_hz()));
  return acl;
}

rte_hash* MakeFlowTable(uint32_t capacity) {
  rte_hash_parameters parameters{};
  parameters.name = "flows";
  parameters.entries = capacity;
  parameters.key_len = sizeof(FlowKey);
  parameters.hash_func = rte_hash_crc;
  rte_hash* flows = rte_hash_create(&parameters);
  if (flows == nullptr) Fail("no memory for the flow table");
  return flows;
}

class Forwarder {
 public:
  Forwarder(rte_acl_ctx* acl, rte_hash* flows, uint32_t flow_capacity)
      : acl_(acl), flows_(flows), frames_(std::bit_ceil(2 * flow_capacity)) {}

  void RunOnce(uint16_t from) {
    std::array<rte_mbuf*, kBurst> mbufs;
    const uint16_t count = rte_eth_rx_burst(from, 0, mbufs.data(), kBurst);
    if (count == 0) return;
    uint32_t passed = 0;
    if (flows_ != nullptr) {
      passed = JudgeByFlow(mbufs.data(), count, from == 0);
    } else {
      passed = from == 0 ? JudgeByRules(mbufs.data(), count) : ~0u;
    }
    Transmit(mbufs.data(), count, static_cast<uint16_t>(from ^ 1), passed);
  }

 private:
  static AclKey AclKeyOf(const rte_mbuf* mbuf) {
    const auto* bytes = rte_pktmbuf_mtod(mbuf, const uint8_t*);
    AclKey key;
    key.protocol = bytes[kProtocolOffset];
    std::memcpy(key.source, bytes + kAddressesOffset, 8);
    std::memcpy(key.source_port, bytes + kPortsOffset, 4);
    return key;
  }
  static FlowKey FlowKeyOf(const rte_mbuf* mbuf, bool from_device) {
    const auto* bytes = rte_pktmbuf_mtod(mbuf, const uint8_t*);
    uint32_t addresses[2];
    uint16_t ports[2];
    std::memcpy(addresses, bytes + kAddressesOffset, 8);
    std::memcpy(ports, bytes + kPortsOffset, 4);
    const int device = from_device ? 0 : 1, peer = 1 - device;
    return {addresses[device], addresses[peer], ports[device], ports[peer], bytes[kProtocolOffset]};
  }
  static void Prefetch(rte_mbuf** mbufs, uint16_t count) {
    for (uint16_t i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void*));
  }

  uint32_t JudgeByRules(rte_mbuf** mbufs, uint16_t count) {
    std::array<AclKey, kBurst> keys;
    std::array<const uint8_t*, kBurst> pointers;
    std::array<uint32_t, kBurst> rules;
    Prefetch(mbufs, count);
    for (uint16_t i = 0; i < count; ++i) {
      keys[i] = AclKeyOf(mbufs[i]);
      pointers[i] = reinterpret_cast<const uint8_t*>(&keys[i]);
    }
    rte_acl_classify(acl_, pointers.data(), rules.data(), count, 1);
    uint32_t passed = 0;
    for (uint16_t i = 0; i < count; ++i) passed |= static_cast<uint32_t>(rules[i] != 0) << i;
    return passed;
  }

  uint32_t JudgeByFlow(rte_mbuf** mbufs, uint16_t count, bool from_device) {
    std::array<FlowKey, kBurst> keys;
    std::array<const void*, kBurst> pointers;
    std::array<int32_t, kBurst> places;
    Prefetch(mbufs, count);
    for (uint16_t i = 0; i < count; ++i) {
      keys[i] = FlowKeyOf(mbufs[i], from_device);
      pointers[i] = &keys[i];
    }
    rte_hash_lookup_bulk(flows_, pointers.data(), count, places.data());
    uint32_t passed = 0;
    for (uint16_t i = 0; i < count; ++i) {
      if (places[i] >= 0) {
        ++frames_[static_cast<size_t>(places[i]) & (frames_.size() - 1)];
      } else if (!from_device || JudgeByRules(&mbufs[i], 1) == 0 ||
                 rte_hash_add_key(flows_, &keys[i]) < 0) {
        continue;
      }
      passed |= 1u << i;
    }
    return passed;
  }

  static void Transmit(rte_mbuf** mbufs, uint16_t count, uint16_t to, uint32_t passed) {
    std::array<rte_mbuf*, kBurst> out, rest;
    uint16_t outs = 0;
    unsigned rests = 0;
    for (uint16_t i = 0; i < count; ++i) {
      if ((passed >> i & 1) != 0) {
        out[outs++] = mbufs[i];
      } else {
        rest[rests++] = mbufs[i];
      }
    }
    const uint16_t sent = rte_eth_tx_burst(to, 0, out.data(), outs);
    for (uint16_t i = sent; i < outs; ++i) rest[rests++] = out[i];
    rte_pktmbuf_free_bulk(rest.data(), rests);
  }

  rte_acl_ctx* const acl_;
  rte_hash* const flows_;
  std::vector<uint64_t> frames_;  // counted by place in the flow table
};

void StartPorts(const Options& options) {
  rte_mempool* pool =
      rte_pktmbuf_pool_create("bench", options.mbufs, 512, 0, options.room, SOCKET_ID_ANY);
  if (pool == nullptr) Fail("no memory for packet buffers");
  for (uint16_t port = 0; port < 2; ++port) {
    const rte_eth_conf conf{};
    if (rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
        rte_eth_rx_queue_setup(port, 0, 1024, SOCKET_ID_ANY, nullptr, pool) != 0 ||
        rte_eth_tx_queue_setup(port, 0, 1024, SOCKET_ID_ANY, nullptr) != 0 ||
        rte_eth_dev_start(port) != 0) {
      Fail("port " + std::to_string(port) + " does not start");
    }
    rte_eth_promiscuous_enable(port);
  }
}

bool TakeOption(const std::string& name, const std::string& value, Options& options) {
  const auto number = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
  if (name == "--enforce") {
    options.keeps_flows = value == "flows";
    return options.keeps_flows || value == "acl";
  }
  if (name == "--flow-capacity") {
    options.flow_capacity = number;
  } else if (name == "--mbufs") {
    options.mbufs = number;
  } else if (name == "--room") {
    options.room = static_cast<uint16_t>(number);
  } else {
    return TakeModelOption(name, value, options.traffic);
  }
  return number != 0;
}

// Frames received since the start, once every 0.4 s, for the pcap source.
class RateReport {
 public:
  void Tick() {
    const uint64_t now = rte_rdtsc();
    if (now < next_) return;
    uint64_t received = 0;
    for (uint16_t port = 0; port < 2; ++port) {
      rte_eth_stats stats{};
      rte_eth_stats_get(port, &stats);
      received += stats.ipackets;
    }
    std::printf("{\"received\":%lu,\"seconds\":%.4f}\n", received,
                static_cast<double>(now) / static_cast<double>(rte_get_tsc_hz()));
    std::fflush(stdout);
    next_ = now + rte_get_tsc_hz() * 2 / 5;
  }

 private:
  uint64_t next_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int used = rte_eal_init(argc, argv);
  if (used < 0) return 1;
  Options options;
  options.traffic.model.flows = 1;
  for (int i = used + 1; i < argc; i += 2) {
    if (i + 1 == argc || !TakeOption(argv[i], argv[i + 1], options)) {
      Fail(std::string("unknown option or value: ") + argv[i] + "\n  " + kModelUsage);
    }
  }
  std::signal(SIGINT, [](int) { stop_requested = 1; });
  std::signal(SIGTERM, [](int) { stop_requested = 1; });
  if (rte_eth_dev_count_avail() != 2) Fail("two ports are needed");
  rte_acl_ctx* acl = BuildAcl(MakeModel(options.traffic.model));
  rte_hash* flows = options.keeps_flows ? MakeFlowTable(options.flow_capacity) : nullptr;
  Forwarder forwarder(acl, flows, options.flow_capacity);
  StartPorts(options);
  std::printf("ready\n");
  std::fflush(stdout);
  RateReport report;
  while (stop_requested == 0) {
    for (int i = 0; i < 1024; ++i) {
      forwarder.RunOnce(0);
      forwarder.RunOnce(1);
    }
    report.Tick();
  }
  for (uint16_t port = 0; port < 2; ++port) {
    rte_eth_dev_stop(port);
    rte_eth_dev_close(port);
  }
  rte_eal_cleanup();
  return 0;
}
