// SPDX-License-Identifier: Apache-2.0
// A hospital's day in seconds: 100,000 random frames under a policy of 1,000 devices with 16 rules
// each, decided by the replay and by the oracle. They must agree on every frame.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "dataplane/replay/replay.h"
#include "tests/support/oracle.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using testing::Bytes;
using testing::FrameBuilder;
using testing::Oracle;
using testing::OracleAnswer;
using testing::Station;
using testing::View;

constexpr size_t kDevices = 1000, kRules = 16, kFrames = 100'000;
// What Replay calls the time of its first frame.
constexpr uint64_t kGatewayStart = 1'000'000'000;

class Random {
 public:
  size_t Below(size_t n) { return engine_() % n; }
  bool Percent(size_t p) { return Below(100) < p; }

 private:
  std::mt19937_64 engine_{2023};
};

RuleSpec RandomRule(Random& random, const std::string& origin) {
  RuleSpec rule;
  rule.origin = origin;
  rule.initiator = random.Percent(75) ? Initiator::kDevice : Initiator::kPeer;
  rule.protocol = random.Percent(60)   ? RuleProtocol::kTcp
                  : random.Percent(85) ? RuleProtocol::kUdp
                                       : RuleProtocol::kIcmp;
  const auto network = static_cast<uint32_t>(0xac100000 + (random.Below(256) << 8));
  rule.peers = {
      random.Percent(50)
          ? IpPrefix{IpAddress::V4(network), 24}
          : IpPrefix{IpAddress::V4(network + 1 + static_cast<uint32_t>(random.Below(4))), 32}};
  if (rule.protocol == RuleProtocol::kIcmp) return rule;
  const auto first = static_cast<uint16_t>(100 + random.Below(50));
  const auto last = static_cast<uint16_t>(first + (random.Percent(20) ? 255 : 0));
  auto& ports = rule.initiator == Initiator::kDevice ? rule.peer_ports : rule.device_ports;
  ports = {{first, last}};
  rule.keep_alive = random.Percent(30);
  return rule;
}

Station StationOf(size_t number) {
  const VlanTags vlan = number % 5 == 0 ? VlanTags{30, 0} : VlanTags{};
  return {
      {0x021000000000 + number}, IpAddress::V4(0x0a000100 + static_cast<uint32_t>(number)), vlan};
}

PolicySpec RandomPolicy(Random& random) {
  PolicySpec spec;
  spec.gateway = "hospital";
  spec.generation = 1;
  spec.pairs = {"ward"};
  for (size_t i = 0; i < kDevices; ++i) {
    RulesetSpec ruleset{"p" + std::to_string(i), {}};
    for (size_t j = 0; j < kRules; ++j) {
      ruleset.rules.push_back(RandomRule(random, ruleset.name + "/r" + std::to_string(j)));
    }
    spec.rulesets.push_back(std::move(ruleset));
    const Station station = StationOf(i);
    DeviceSpec device{"d" + std::to_string(i),
                      "ward",
                      station.vlan,
                      {station.mac},
                      {station.ip},
                      random.Percent(80) ? Mode::kEnforce : static_cast<Mode>(random.Below(4)),
                      static_cast<uint32_t>(i),
                      {},
                      {}};
    spec.devices.push_back(std::move(device));
  }
  return spec;
}

// One random frame after the other: new flows by the rules, answers and next segments of earlier
// ones, near misses of rules and identities, and broken bytes.
class Traffic {
 public:
  Traffic(Random& random, const PolicySpec& spec) : random_(random), spec_(spec) {}

  CapturedFrame Next() {
    Sent sent = !recent_.empty() && random_.Percent(45) ? Continued() : Begun();
    if (recent_.size() < 4096) {
      recent_.push_back(sent);
    } else {
      recent_[random_.Below(recent_.size())] = sent;
    }
    if (random_.Percent(8)) Disguise(sent);
    Bytes bytes = random_.Percent(3) ? Arp(sent.side) : sent.frame.Build();
    if (random_.Percent(4)) Damage(bytes);
    const auto length = static_cast<uint32_t>(bytes.size());
    return {sent.side, 0, length, std::move(bytes)};
  }

 private:
  struct Sent {
    FrameBuilder frame;
    Side side;
    RuleProtocol protocol;
    uint16_t source_port, destination_port;
    bool by_initiator;
  };

  uint16_t PortOf(const std::vector<PortRange>& ranges) {
    const uint16_t any = static_cast<uint16_t>(40000 + random_.Below(8));
    if (ranges.empty()) return any;
    if (random_.Percent(5)) return static_cast<uint16_t>(ranges[0].last + 1);
    return static_cast<uint16_t>(ranges[0].first +
                                 random_.Below(ranges[0].last - ranges[0].first + 1));
  }

  Sent Begun() {
    const size_t device = random_.Below(kDevices);
    const RuleSpec& rule = spec_.rulesets[device].rules[random_.Below(kRules)];
    IpAddress peer = rule.peers[0].address;
    if (rule.peers[0].length < 32) peer.lo += 1 + random_.Below(4);
    if (random_.Percent(5)) peer.lo ^= 1u << random_.Below(12);
    const uint16_t peer_port = PortOf(rule.peer_ports), device_port = PortOf(rule.device_ports);
    const bool by_device = rule.initiator == Initiator::kDevice;
    FrameBuilder frame;
    if (by_device) {
      frame.FromDevice(StationOf(device)).To(peer);
    } else {
      frame.ToDevice(StationOf(device)).From(peer);
    }
    Sent sent{frame,
              by_device ? Side::kDevice : Side::kNetwork,
              rule.protocol,
              by_device ? device_port : peer_port,
              by_device ? peer_port : device_port,
              true};
    Transport(sent, tcp_flag::kSyn);
    return sent;
  }

  void Transport(Sent& sent, uint8_t tcp_flags) {
    switch (sent.protocol) {
      case RuleProtocol::kTcp:
        sent.frame.Tcp(sent.source_port, sent.destination_port, tcp_flags);
        break;
      case RuleProtocol::kUdp:
        sent.frame.Udp(sent.source_port, sent.destination_port);
        break;
      default:
        if (sent.by_initiator) {
          sent.frame.EchoRequest(sent.source_port);
        } else {
          sent.frame.EchoReply(sent.source_port);
        }
    }
  }

  Sent Continued() {
    Sent sent = recent_[random_.Below(recent_.size())];
    if (random_.Percent(60)) {
      sent.frame = sent.frame.Reversed();
      sent.side = sent.side == Side::kDevice ? Side::kNetwork : Side::kDevice;
      // An echo keeps its identifier in the place of the source port, whoever sends.
      if (sent.protocol != RuleProtocol::kIcmp) std::swap(sent.source_port, sent.destination_port);
      sent.by_initiator = !sent.by_initiator;
    }
    constexpr std::array<uint8_t, 6> kFlags = {tcp_flag::kAck, tcp_flag::kAck | tcp_flag::kPsh,
                                               tcp_flag::kAck, tcp_flag::kFin | tcp_flag::kAck,
                                               tcp_flag::kRst, tcp_flag::kSyn};
    const bool handshake = random_.Percent(40);
    Transport(sent, handshake
                        ? (sent.by_initiator ? tcp_flag::kAck : tcp_flag::kSyn | tcp_flag::kAck)
                        : kFlags[random_.Below(kFlags.size())]);
    return sent;
  }

  void Disguise(Sent& sent) {
    const Station other = StationOf(random_.Below(kDevices + 50));
    switch (random_.Below(5)) {
      case 0:
        sent.frame.SourceMac(other.mac);
        break;
      case 1:
        sent.frame.DestinationMac(other.mac);
        break;
      case 2:
        sent.frame.From(other.ip);
        break;
      case 3:
        sent.frame.DestinationMac(MacAddress::Broadcast()).To("255.255.255.255");
        break;
      default:
        sent.side = sent.side == Side::kDevice ? Side::kNetwork : Side::kDevice;
    }
  }

  Bytes Arp(Side side) {
    const Station device = StationOf(random_.Below(kDevices));
    const std::string own = ToString(
        StationOf(random_.Percent(80) ? device.ip.AsV4() - 0x0a000100 : random_.Below(kDevices))
            .ip);
    FrameBuilder frame;
    if (side == Side::kDevice) {
      frame.FromDevice(device)
          .DestinationMac(MacAddress::Broadcast())
          .ArpRequest(own, "172.16.0.1");
    } else {
      frame.ToDevice(device).ArpReply("172.16.0.1", own);
    }
    return frame.Build();
  }

  void Damage(Bytes& bytes) {
    if (random_.Percent(30)) {
      bytes.resize(random_.Below(bytes.size() + 1));
    } else {
      bytes[random_.Below(bytes.size())] ^= static_cast<uint8_t>(1u << random_.Below(8));
    }
  }

  Random& random_;
  const PolicySpec& spec_;
  std::vector<Sent> recent_;
};

std::string Describe(const OracleAnswer& answer) {
  return std::string(ToString(answer.verdict)) + " " + std::string(ToString(answer.reason)) + " " +
         answer.device + " " + answer.rule;
}

TEST(ReplayAgreement, OracleAgreesOnEveryFrameOfAThousandDevices) {
  Random random;
  const PolicySpec spec = RandomPolicy(random);
  Traffic traffic(random, spec);
  Oracle oracle;
  oracle.SetPolicy(spec);
  std::vector<OracleAnswer> expected;
  std::map<std::string, int> seen;
  size_t different = 0;
  CompileResult compiled = Compile(spec);
  ASSERT_NE(compiled.table, nullptr) << compiled.faults[0].path << compiled.faults[0].message;
  Replay replay(std::move(compiled.table), {}, [&](const ReplayedFrame& frame) {
    const OracleAnswer answer{frame.decision.verdict, frame.decision.reason,
                              std::string(frame.rule), std::string(frame.device)};
    ++seen[std::string(ToString(answer.verdict)) + " " + std::string(ToString(answer.reason))];
    const OracleAnswer& right = expected[frame.number - 1];
    if (answer == right || ++different > 10) return;
    ADD_FAILURE() << "frame " << frame.number << ": " << Describe(answer) << ", the oracle says "
                  << Describe(right);
  });
  uint64_t time_ns = 0;
  for (size_t i = 0; i < kFrames; ++i) {
    if (random.Percent(10)) time_ns += 100'000 + random.Below(100'000'000);
    CapturedFrame frame = traffic.Next();
    frame.time_ns = time_ns;
    Packet packet;
    ParseFrame(View(frame.bytes), packet);
    if (packet.is_fragment) continue;  // the model of fragments has tests of its own
    expected.push_back(oracle.Decide(packet, frame.side, 0, kGatewayStart + time_ns));
    replay.Add(std::move(frame));
  }
  replay.Finish();
  EXPECT_EQ(different, 0u);
  EXPECT_EQ(seen["drop undecided"], 0);
  // The traffic is worth the name: much passes, much does not, for many reasons.
  EXPECT_GT(seen["forward rule"], 20'000);
  EXPECT_GT(seen["drop no_rule"], 1'000);
  EXPECT_GT(seen.size(), 20u);
  for (const auto& [what, count] : seen) RecordProperty(what, count);
}

}  // namespace
}  // namespace cordon::dp
