// SPDX-License-Identifier: Apache-2.0
// The fast path against the oracle: random policies, random conversations, random bursts. The
// universes are small, so that rules, flows and spoofed addresses meet often.
#include "tests/support/oracle.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/gateway.h"

namespace cordon::dp::testing {
namespace {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  size_t Below(size_t n) { return engine_() % n; }
  bool Percent(size_t p) { return Below(100) < p; }
  template <typename T>
  const T& Of(const std::vector<T>& values) {
    return values[Below(values.size())];
  }

 private:
  std::mt19937_64 engine_;
};

const std::vector<std::string> kPairs = {"ward", "lab"};
const std::vector<VlanTags> kVlans = {{0, 0}, {0, 0}, {30, 0}, {100, 30}};
const std::vector<uint16_t> kPorts = {67, 68, 80, 104, 546, 547, 2575, 40000};

std::vector<IpAddress> Ips(const std::vector<std::string>& texts) {
  std::vector<IpAddress> ips;
  for (const std::string& text : texts) ips.push_back(Ip(text));
  return ips;
}
const std::vector<IpAddress> kV4 = Ips({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.9",
                                        "10.0.0.10", "0.0.0.0", "255.255.255.255", "239.1.1.1"});
const std::vector<IpAddress> kV6 =
    Ips({"fd00::1", "fd00::2", "fd00::3", "fe80::1", "fe80::2", "fd00::9", "::", "ff02::1",
         "ff02::1:ff00:1", "fe80::ff:fe00:1"});
const std::vector<IpAddress> kBindable = Ips(
    {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "fd00::1", "fd00::2", "fd00::3", "fe80::1"});
std::vector<MacAddress> Macs(uint64_t prefix, uint64_t count) {
  std::vector<MacAddress> macs;
  for (uint64_t i = 1; i <= count; ++i) macs.push_back({prefix + i});
  return macs;
}
const std::vector<MacAddress> kDeviceMacs = Macs(0x020000000000, 5);
const std::vector<MacAddress> kPeerMacs = Macs(0x0a0000000000, 3);
const std::vector<MacAddress> kGroupMacs = {
    MacAddress::Broadcast(), {0x333300000001}, {0x01005e010101}};

RuleSpec RandomRule(Random& random, size_t number) {
  RuleSpec rule;
  rule.origin = "profile/rule-" + std::to_string(number);
  rule.initiator = random.Percent(50) ? Initiator::kDevice : Initiator::kPeer;
  rule.protocol = static_cast<RuleProtocol>(random.Below(5));
  rule.any_peer = random.Percent(30);
  if (!rule.any_peer) {
    const std::vector<std::string> prefixes = {"10.0.0.8/29", "10.0.0.9",  "fd00::/64",
                                               "fd00::9",     "0.0.0.0/0", "10.0.0.0/24",
                                               "fe80::/10",   "ff02::/16"};
    for (size_t i = 0; i <= random.Below(3); ++i) {
      rule.peers.push_back(*ParsePrefix(random.Of(prefixes)));
    }
  }
  const bool icmp = rule.protocol == RuleProtocol::kIcmp || rule.protocol == RuleProtocol::kIcmpv6;
  const std::vector<PortRange> ranges = {{80, 80}, {67, 68}, {1, 1023}, {546, 547}, {104, 40000}};
  for (auto* ports : {&rule.peer_ports, &rule.device_ports}) {
    for (size_t i = random.Below(3); i > 0 && !icmp; --i) ports->push_back(random.Of(ranges));
  }
  const std::vector<uint8_t> types = {8, 128, 13, 134, 143, 5, 137};
  for (size_t i = random.Below(3); i > 0 && icmp; --i) rule.icmp_types.push_back(random.Of(types));
  if (random.Percent(15)) rule.vlan = random.Of(kVlans);
  if (random.Percent(30)) rule.idle_timeout = std::chrono::seconds(1 + random.Below(400));
  rule.keep_alive = random.Percent(40);
  return rule;
}

PolicySpec RandomPolicy(Random& random, uint64_t generation) {
  PolicySpec spec;
  spec.generation = generation;
  spec.pairs = kPairs;
  for (size_t i = 0; i < 4; ++i) {
    RulesetSpec ruleset{"set", {}};
    for (size_t j = random.Below(20); j > 0; --j) ruleset.rules.push_back(RandomRule(random, j));
    spec.rulesets.push_back(ruleset);
  }
  if (random.Percent(40)) spec.unknown_device_ruleset = random.Below(4);
  std::map<std::tuple<std::string, VlanTags>, std::vector<IpAddress>> taken;
  for (size_t i = 0; i < kDeviceMacs.size(); ++i) {
    if (random.Percent(15)) continue;
    DeviceSpec device;
    device.name = "device-" + std::to_string(i);
    device.pair = random.Of(kPairs);
    device.vlan = random.Of(kVlans);
    if (!random.Percent(15)) device.macs = {kDeviceMacs[i]};
    auto& others = taken[{device.pair, device.vlan}];
    for (size_t j = random.Below(4); j > 0; --j) {
      const IpAddress ip = random.Of(kBindable);
      if (std::count(others.begin(), others.end(), ip) != 0) continue;
      device.ips.push_back(ip);
      others.push_back(ip);
    }
    if (device.macs.empty() && device.ips.empty()) device.macs = {kDeviceMacs[i]};
    device.mode = static_cast<Mode>(random.Below(4));
    device.ruleset = static_cast<uint32_t>(random.Below(4));
    spec.devices.push_back(device);
  }
  return spec;
}

// What was sent, and how its answer would look.
struct Sent {
  FrameBuilder frame;
  Side side;
  uint16_t pair;
  bool is_icmp_echo_request = false;
  uint16_t icmp_id = 0;
};

class TrafficSource {
 public:
  TrafficSource(Random& random, const PolicySpec& spec) : random_(random), spec_(&spec) {}
  void SetPolicy(const PolicySpec& spec) { spec_ = &spec; }

  Bytes Next(Side side, uint16_t pair) {
    const Sent* earlier = EarlierFor(side, pair);
    Bytes bytes;
    if (earlier != nullptr && random_.Percent(70)) {
      bytes = Continue(*earlier, side, pair);
    } else if (random_.Percent(10)) {
      bytes = Arp(side, pair).Build();
    } else if (random_.Percent(6)) {
      bytes = Neighbour(side, pair).Build();
    } else {
      bytes = Fresh(side, pair);
    }
    if (random_.Percent(1)) bytes = Truncated(bytes, random_.Below(bytes.size()));
    return bytes;
  }

 private:
  const Sent* EarlierFor(Side, uint16_t pair) {
    if (sent_.empty()) return nullptr;
    const Sent& sent = sent_[random_.Below(sent_.size())];
    return sent.pair == pair ? &sent : nullptr;
  }
  void Remember(const Sent& sent) {
    if (sent_.size() < 200) {
      sent_.push_back(sent);
    } else {
      sent_[random_.Below(sent_.size())] = sent;
    }
  }

  // The next frame of a conversation, an answer to it, or an error about it.
  Bytes Continue(const Sent& earlier, Side side, uint16_t) {
    FrameBuilder frame = side == earlier.side ? earlier.frame : earlier.frame.Reversed();
    if (side != earlier.side && random_.Percent(10)) {
      return FrameBuilder(frame).IcmpError(3, 1, earlier.frame).Build();
    }
    if (side != earlier.side && earlier.is_icmp_echo_request) frame.EchoReply(earlier.icmp_id);
    if (random_.Percent(85)) SetFlags(frame);
    return frame.Build();
  }
  // Flags() only counts for TCP.
  void SetFlags(FrameBuilder& frame) {
    using namespace tcp_flag;
    static const std::vector<uint8_t> kFlags = {kSyn, kSyn | kAck, kSyn | kAck, kAck,        kAck,
                                                kAck, kAck | kPsh, kFin | kAck, kFin | kAck, kRst};
    frame.Flags(random_.Of(kFlags)).PayloadSize(random_.Below(2));
  }

  // A device of the pair, when there is one.
  const DeviceSpec* SomeDevice(uint16_t pair) {
    std::vector<const DeviceSpec*> devices;
    for (const DeviceSpec& device : spec_->devices) {
      if (device.pair == kPairs[pair]) devices.push_back(&device);
    }
    return devices.empty() || random_.Percent(10) ? nullptr : random_.Of(devices);
  }

  FrameBuilder Addressed(Side side, uint16_t pair, bool v6) {
    FrameBuilder frame;
    const DeviceSpec* device = SomeDevice(pair);
    const std::vector<IpAddress>& universe = v6 ? kV6 : kV4;
    MacAddress device_mac = random_.Of(kDeviceMacs);
    IpAddress device_ip = random_.Of(universe), peer_ip = random_.Of(universe);
    VlanTags vlan = random_.Of(kVlans);
    if (device != nullptr) {
      if (!random_.Percent(3)) vlan = device->vlan;
      if (!device->macs.empty()) device_mac = device->macs[0];
      for (const IpAddress& ip : device->ips) {
        if (ip.IsV4() != v6 && random_.Percent(85)) device_ip = ip;
      }
    }
    if (random_.Percent(70)) peer_ip = Ip(v6 ? "fd00::9" : "10.0.0.9");
    MacAddress peer_mac = random_.Percent(95) ? random_.Of(kPeerMacs) : random_.Of(kDeviceMacs);
    if (side == Side::kDevice) {
      if (random_.Percent(10)) peer_mac = random_.Of(kGroupMacs);
      return frame.SourceMac(device_mac)
          .DestinationMac(peer_mac)
          .From(device_ip)
          .To(peer_ip)
          .Vlan(vlan);
    }
    if (random_.Percent(15)) device_mac = random_.Of(kGroupMacs);
    return frame.SourceMac(peer_mac)
        .DestinationMac(device_mac)
        .From(peer_ip)
        .To(device_ip)
        .Vlan(vlan);
  }

  Bytes Fresh(Side side, uint16_t pair) {
    const bool v6 = random_.Percent(40);
    Sent sent{Addressed(side, pair, v6), side, pair};
    const size_t kind = random_.Below(10);
    if (kind < 5) {
      sent.frame.Tcp(random_.Of(kPorts), random_.Of(kPorts));
      if (random_.Percent(25)) SetFlags(sent.frame);
    } else if (kind < 8) {
      sent.frame.Udp(random_.Of(kPorts), random_.Of(kPorts));
    } else if (kind == 8) {
      sent.icmp_id = static_cast<uint16_t>(random_.Below(3));
      sent.is_icmp_echo_request = true;
      sent.frame.EchoRequest(sent.icmp_id);
    } else {
      static const std::vector<uint8_t> kTypes = {0, 3, 4, 5, 13, 14, 129, 130, 134, 137, 143};
      sent.frame.Icmp(random_.Of(kTypes), 0, static_cast<uint32_t>(random_.Below(3)) << 16);
    }
    Remember(sent);
    return sent.frame.Build();
  }

  FrameBuilder Arp(Side side, uint16_t pair) {
    FrameBuilder frame = Addressed(side, pair, false);
    const std::string sender = ToString(random_.Of(kV4)), target = ToString(random_.Of(kV4));
    if (side == Side::kNetwork && random_.Percent(50)) return frame.ArpRequest("10.0.0.9", target);
    return random_.Percent(60) ? frame.ArpRequest(sender, target) : frame.ArpReply(sender, target);
  }

  FrameBuilder Neighbour(Side side, uint16_t pair) {
    FrameBuilder frame = Addressed(side, pair, true);
    const std::string target = ToString(random_.Of(kV6));
    const size_t kind = random_.Below(5);
    if (kind == 0) return frame.RouterSolicitation();
    (kind < 3) ? frame.NeighbourSolicitation(target) : frame.NeighbourAdvertisement(target);
    return random_.Percent(10) ? frame.HopLimit(64) : frame;
  }

  Random& random_;
  const PolicySpec* spec_;
  std::vector<Sent> sent_;
};

struct Tally {
  std::map<Reason, size_t> reasons;
  std::map<Verdict, size_t> verdicts;
};

// Sends `bursts` random bursts through gateway and oracle; stops at the first difference.
void Compare(uint64_t seed, size_t bursts, size_t capacity, bool time_passes, Tally& tally) {
  Random random(seed);
  const TimePoint adopt_until = 20 * kSecond;
  // Every flow is swept as soon as the clock has moved, so that the oracle knows when.
  TestGateway gateway({.adopt_until = adopt_until, .sweep_round = 1}, capacity);
  TimePoint swept = 0;
  Oracle oracle(adopt_until, capacity);
  PolicySpec spec;
  TrafficSource traffic(random, spec);
  uint64_t generation = 0;
  for (size_t n = 0; n < bursts; ++n) {
    if (n == 3 || (n > 3 && random.Below(100) == 0)) {
      PolicySpec next = RandomPolicy(random, ++generation);
      // Often only the rules change, so that flows live on.
      if (generation > 1 && random.Percent(70)) next.devices = spec.devices;
      spec = next;
      gateway.Enforce(spec);
      oracle.SetPolicy(spec);
    }
    const Side side = random.Percent(50) ? Side::kDevice : Side::kNetwork;
    const auto pair = static_cast<uint16_t>(random.Below(2));
    std::vector<Bytes> frames;
    for (size_t i = random.Below(kMaxBurst + 1); i > 0; --i) {
      const bool repeat = !frames.empty() && random.Percent(15);
      frames.push_back(repeat ? frames[random.Below(frames.size())] : traffic.Next(side, pair));
    }
    const std::vector<Decision> decisions = gateway.SendBurst(side, frames, pair);
    for (size_t i = 0; i < frames.size(); ++i) {
      Packet packet;
      ParseFrame(View(frames[i]), packet);
      const OracleAnswer expected = oracle.Decide(packet, side, pair, gateway.now());
      const OracleAnswer actual{decisions[i].verdict, decisions[i].reason,
                                gateway.RuleOf(decisions[i]), gateway.DeviceOf(decisions[i])};
      ASSERT_EQ(actual, expected) << "seed " << seed << " burst " << n << " frame " << i
                                  << ": gateway " << ToString(actual.verdict) << "/"
                                  << ToString(actual.reason) << "/" << actual.rule << "/"
                                  << actual.device << ", oracle " << ToString(expected.verdict)
                                  << "/" << ToString(expected.reason) << "/" << expected.rule << "/"
                                  << expected.device << "; from " << ToString(side) << " side "
                                  << ToString(packet.source_mac) << " > "
                                  << ToString(packet.destination_mac) << " vlan "
                                  << ToString(packet.vlan) << " " << ToString(packet.source) << ":"
                                  << packet.source_port << " > " << ToString(packet.destination)
                                  << ":" << packet.destination_port << " protocol "
                                  << int{packet.protocol} << " flags " << int{packet.tcp_flags}
                                  << " icmp " << int{packet.icmp_type};
      ++tally.reasons[actual.reason];
      ++tally.verdicts[actual.verdict];
    }
    if (gateway.now() != swept) {
      swept = gateway.now();
      oracle.Sweep(swept);
    }
    if (!time_passes) continue;
    gateway.Advance(random.Below(20) * kMillisecond);
    if (random.Below(50) == 0) gateway.Advance(random.Below(100) * kSecond);
  }
}

TEST(PipelineOracle, AgreesOnRandomPoliciesAndTraffic) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "one thread: nothing for this sanitizer, and slow under it";
#endif
  Tally tally;
  for (uint64_t seed = 1; seed <= 40 && !HasFatalFailure(); ++seed) {
    Compare(seed, 400, 4096, true, tally);
  }
  size_t frames = 0;
  for (const auto& [verdict, count] : tally.verdicts) frames += count;
  EXPECT_GE(frames, 200'000u);
  for (const auto& [reason, count] : tally.reasons) {
    RecordProperty(std::string(ToString(reason)), static_cast<int>(count));
  }
  // The traffic must reach every corner, or agreement means little.
  for (const Reason reason : {Reason::kRule,
                              Reason::kObserveMode,
                              Reason::kArpGuard,
                              Reason::kNdGuard,
                              Reason::kIcmpErrorOfFlow,
                              Reason::kNoPolicy,
                              Reason::kUnknownDevice,
                              Reason::kSourceNotBound,
                              Reason::kDestinationNotBound,
                              Reason::kDeviceMacOnNetworkSide,
                              Reason::kNoRule,
                              Reason::kFlowRevoked,
                              Reason::kGroupNoRule,
                              Reason::kTcpNoFlow,
                              Reason::kTcpState,
                              Reason::kIcmpNoFlow,
                              Reason::kArpSenderNotBound,
                              Reason::kArpTargetNotBound,
                              Reason::kNdInvalid,
                              Reason::kNdNotBound}) {
    EXPECT_GE(tally.reasons[reason], 50u) << ToString(reason);
  }
}

TEST(PipelineOracle, AgreesWhenTheFlowTableIsFull) {
  Tally tally;
  for (uint64_t seed = 100; seed < 110 && !HasFatalFailure(); ++seed) {
    Compare(seed, 200, 40, false, tally);
  }
  EXPECT_GE(tally.reasons[Reason::kFlowTableFull], 50u);
}

}  // namespace
}  // namespace cordon::dp::testing
