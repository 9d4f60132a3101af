// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/from_proto.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "dataplane/agent/fault_text.h"
#include "dataplane/agent/knobs_from_proto.h"

namespace cordon::dp {
namespace {

class Converter {
 public:
  Converter(const v1::PolicySet& set, const std::vector<std::string>& wired_pairs,
            const PolicySetLimits& limits)
      : set_(set), wired_pairs_(wired_pairs), limits_(limits) {}

  PolicySetResult Run(const std::string& gateway) {
    PolicySpec& spec = result_.spec;
    if (set_.gateway() != gateway) {
      Fail("gateway", "is for " + Quote(set_.gateway()) + ", this gateway is " + Quote(gateway));
    }
    if (set_.generation() == 0) Fail("generation", "must be at least 1");
    spec.gateway = set_.gateway();
    spec.generation = set_.generation();
    spec.pairs = wired_pairs_;
    ReadPairs();
    if (FitsIn("rulesets", set_.rulesets_size(), limits_.rulesets)) {
      spec.rulesets.reserve(static_cast<size_t>(set_.rulesets_size()));
      for (int i = 0; i < set_.rulesets_size(); ++i) ReadRuleset(i);
    }
    if (FitsIn("devices", set_.devices_size(), limits_.devices)) {
      spec.devices.reserve(static_cast<size_t>(set_.devices_size()));
      for (int i = 0; i < set_.devices_size(); ++i) ReadDevice(i);
    }
    ReadGatewayKnobs();
    if (set_.has_unknown_device_ruleset()) {
      CheckRuleset("unknown_device_ruleset", set_.unknown_device_ruleset());
      spec.unknown_device_ruleset = set_.unknown_device_ruleset();
    }
    if (left_out_ > 0) {
      result_.faults.push_back({"", "and " + std::to_string(left_out_) + " more faults"});
    }
    return std::move(result_);
  }

 private:
  void Fail(std::string path, std::string message) {
    if (result_.faults.size() >= limits_.faults) {
      ++left_out_;
      return;
    }
    result_.faults.push_back({std::move(path), std::move(message)});
  }

  bool FitsIn(const std::string& path, int count, int most) {
    if (count <= most) return true;
    Fail(path, "has " + std::to_string(count) + " entries, at most " + std::to_string(most) +
                   " are taken");
    return false;
  }

  void CheckName(const std::string& path, const std::string& name) {
    if (name.empty()) Fail(path, "must not be empty");
    if (name.size() > static_cast<size_t>(limits_.name_bytes)) {
      Fail(path, "is longer than " + std::to_string(limits_.name_bytes) + " bytes");
    }
  }

  void CheckRuleset(const std::string& path, uint32_t ruleset) {
    if (ruleset < static_cast<uint32_t>(set_.rulesets_size())) return;
    Fail(path, "is " + std::to_string(ruleset) + ", but there are " +
                   std::to_string(set_.rulesets_size()) + " rulesets (the first is 0)");
  }

  void ReadPairs() {
    if (set_.pairs_size() == 0) Fail("pairs", "must name at least one pair");
    if (!FitsIn("pairs", set_.pairs_size(), limits_.pairs)) return;
    for (int i = 0; i < set_.pairs_size(); ++i) {
      const std::string& pair = set_.pairs(i);
      if (!named_pairs_.insert(pair).second) {
        Fail(At("pairs", i), "names pair " + Quote(pair) + " twice");
      } else if (std::find(wired_pairs_.begin(), wired_pairs_.end(), pair) == wired_pairs_.end()) {
        Fail(At("pairs", i), "pair " + Quote(pair) + " is not wired on this gateway (wired: " +
                                 Join(wired_pairs_) + ")");
      }
    }
  }

  void ReadGatewayKnobs() {
    PolicySpec& spec = result_.spec;
    if (set_.has_protection()) {
      spec.protection = ReadProtection(set_.protection(), "protection", fault_);
    }
    if (FitsIn("guards", set_.guards_size(), set_.pairs_size())) {
      spec.guards.resize(wired_pairs_.size());
      for (int i = 0; i < set_.guards_size(); ++i) ReadPairGuards(i);
    }
    if (FitsIn("overlay", set_.overlay_size(), limits_.overlay_rules)) {
      for (int i = 0; i < set_.overlay_size(); ++i) ReadOverlayRule(i);
    }
  }

  void ReadPairGuards(int i) {
    const v1::PairGuards& from = set_.guards(i);
    const std::string path = At("guards", i);
    const auto pair = std::find(wired_pairs_.begin(), wired_pairs_.end(), from.pair());
    if (pair == wired_pairs_.end() || !named_pairs_.contains(from.pair())) {
      return Fail(path + ".pair", "pair " + Quote(from.pair()) + " is not one of the set's pairs");
    }
    if (!guarded_pairs_.insert(from.pair()).second) {
      Fail(path + ".pair", "names pair " + Quote(from.pair()) + " twice");
    }
    result_.spec.guards[static_cast<size_t>(pair - wired_pairs_.begin())] =
        ReadGuards(from, path, fault_);
  }

  void ReadOverlayRule(int i) {
    const v1::OverlayRule& from = set_.overlay(i);
    const std::string path = At("overlay", i);
    OverlayRuleSpec to;
    to.origin = from.origin();
    CheckName(path + ".origin", from.origin());
    ReadProtocol(path, from, to);
    ReadPeer(path, from, to);
    ReadPorts(path + ".ports", from.ports(), from.protocol(), to.ports);
    ReadIcmpTypes(path + ".icmp_types", from, to);
    result_.spec.overlay.push_back(std::move(to));
  }

  std::optional<VlanTags> ReadVlan(const std::string& path, const v1::Vlan& vlan) {
    if (vlan.outer() < 1 || vlan.outer() > 4094) {
      Fail(path + ".outer", "must be 1 to 4094, not " + std::to_string(vlan.outer()));
      return std::nullopt;
    }
    if (vlan.inner() > 4094) {
      Fail(path + ".inner", "must be 0 to 4094, not " + std::to_string(vlan.inner()));
      return std::nullopt;
    }
    return VlanTags{static_cast<uint16_t>(vlan.outer()), static_cast<uint16_t>(vlan.inner())};
  }

  void ReadRuleset(int i) {
    const v1::Ruleset& from = set_.rulesets(i);
    const std::string path = At("rulesets", i);
    RulesetSpec to;
    to.name = from.name();
    CheckName(path + ".name", from.name());
    if (FitsIn(path + ".rules", from.rules_size(), limits_.rules_per_ruleset)) {
      to.rules.reserve(static_cast<size_t>(from.rules_size()));
      for (int j = 0; j < from.rules_size(); ++j) {
        to.rules.push_back(ReadRule(At(path + ".rules", j), from.rules(j)));
      }
    }
    result_.spec.rulesets.push_back(std::move(to));
  }

  RuleSpec ReadRule(const std::string& path, const v1::Rule& from) {
    RuleSpec to;
    to.origin = from.origin();
    CheckName(path + ".origin", from.origin());
    ReadInitiator(path, from, to);
    ReadProtocol(path, from, to);
    ReadPeer(path, from, to);
    ReadPorts(path + ".peer_ports", from.peer_ports(), from.protocol(), to.peer_ports);
    ReadPorts(path + ".device_ports", from.device_ports(), from.protocol(), to.device_ports);
    ReadIcmpTypes(path + ".icmp_types", from, to);
    if (from.has_vlan()) to.vlan = ReadVlan(path + ".vlan", from.vlan());
    if (from.has_idle_timeout()) ReadIdleTimeout(path + ".idle_timeout", from, to);
    to.keep_alive = from.keep_alive();
    if (!from.group().empty()) {
      to.group = ParseIp(from.group());
      if (!to.group) Fail(path + ".group", Quote(from.group()) + " is not an IP address");
    }
    if (from.has_expires_at()) ReadExpiry(path + ".expires_at", from, to);
    to.log = from.log();
    return to;
  }

  void ReadInitiator(const std::string& path, const v1::Rule& from, RuleSpec& to) {
    switch (from.initiator()) {
      case v1::INITIATOR_DEVICE:
        to.initiator = Initiator::kDevice;
        return;
      case v1::INITIATOR_PEER:
        to.initiator = Initiator::kPeer;
        return;
      default:
        Fail(path + ".initiator",
             "must be device or peer, not " + std::to_string(from.initiator()));
    }
  }

  // Rules and overlay rules.
  template <typename From, typename To>
  void ReadProtocol(const std::string& path, const From& from, To& to) {
    if (from.protocol_number() > 255 ||
        (from.protocol_number() != 0) != (from.protocol() == v1::PROTOCOL_NUMBER)) {
      Fail(path + ".protocol_number",
           "must be 1 to 255 for a protocol by number and 0 for every other, not " +
               std::to_string(from.protocol_number()));
    }
    to.protocol_number = static_cast<uint8_t>(from.protocol_number());
    switch (from.protocol()) {
      case v1::PROTOCOL_TCP:
        to.protocol = RuleProtocol::kTcp;
        return;
      case v1::PROTOCOL_UDP:
        to.protocol = RuleProtocol::kUdp;
        return;
      case v1::PROTOCOL_ICMP:
        to.protocol = RuleProtocol::kIcmp;
        return;
      case v1::PROTOCOL_ICMPV6:
        to.protocol = RuleProtocol::kIcmpv6;
        return;
      case v1::PROTOCOL_ANY:
        to.protocol = RuleProtocol::kAny;
        return;
      case v1::PROTOCOL_NUMBER:
        to.protocol = RuleProtocol::kNumber;
        return;
      default:
        Fail(path + ".protocol", "must be tcp, udp, icmp, icmpv6, any or a number, not " +
                                     std::to_string(from.protocol()));
    }
  }

  template <typename From, typename To>
  void ReadPeer(const std::string& path, const From& from, To& to) {
    if (from.peer_case() == From::kAnyPeer) {
      to.any_peer = from.any_peer();
      if (!from.any_peer()) Fail(path + ".any_peer", "must be true where it is set");
      return;
    }
    if (from.peer_case() != From::kPrefixes || from.prefixes().prefixes().empty()) {
      Fail(path + ".peer", "is missing: any_peer or at least one prefix");
      return;
    }
    const std::string list = path + ".prefixes";
    if (!FitsIn(list, from.prefixes().prefixes_size(), limits_.prefixes_per_rule)) return;
    for (int i = 0; i < from.prefixes().prefixes_size(); ++i) {
      const std::string& text = from.prefixes().prefixes(i);
      if (const auto prefix = ParsePrefix(text)) {
        to.peers.push_back(*prefix);
      } else {
        Fail(At(list, i), Quote(text) +
                              " is not an address or block such as 10.20.0.0/24 without "
                              "bits behind the length");
      }
    }
  }

  void ReadPorts(const std::string& path,
                 const google::protobuf::RepeatedPtrField<v1::PortRange>& ranges,
                 v1::Protocol protocol, std::vector<PortRange>& to) {
    if (ranges.empty() || !FitsIn(path, ranges.size(), limits_.port_ranges_per_rule)) return;
    if (protocol == v1::PROTOCOL_ICMP || protocol == v1::PROTOCOL_ICMPV6) {
      Fail(path, "must be empty: ICMP has no ports");
    }
    for (int i = 0; i < ranges.size(); ++i) {
      const v1::PortRange& range = ranges[i];
      if (range.first() < 1 || range.last() > 65535 || range.first() > range.last()) {
        Fail(At(path, i), "must be within 1-65535 and not backwards, not " +
                              std::to_string(range.first()) + "-" + std::to_string(range.last()));
        continue;
      }
      to.push_back({static_cast<uint16_t>(range.first()), static_cast<uint16_t>(range.last())});
    }
  }

  template <typename From, typename To>
  void ReadIcmpTypes(const std::string& path, const From& from, To& to) {
    if (from.icmp_types().empty() || !FitsIn(path, from.icmp_types_size(), 256)) return;
    if (from.protocol() != v1::PROTOCOL_ICMP && from.protocol() != v1::PROTOCOL_ICMPV6) {
      Fail(path, "must be empty: only icmp and icmpv6 have types");
    }
    for (int i = 0; i < from.icmp_types_size(); ++i) {
      if (from.icmp_types(i) > 255) {
        Fail(At(path, i), "must be 0 to 255, not " + std::to_string(from.icmp_types(i)));
      } else {
        to.icmp_types.push_back(static_cast<uint8_t>(from.icmp_types(i)));
      }
    }
  }

  void ReadIdleTimeout(const std::string& path, const v1::Rule& from, RuleSpec& to) {
    constexpr int64_t kLongest = 365LL * 24 * 3600;
    const auto& timeout = from.idle_timeout();
    if (timeout.seconds() < 1 || timeout.seconds() > kLongest || timeout.nanos() != 0) {
      Fail(path, "must be whole seconds from 1 s to 365 days");
      return;
    }
    to.idle_timeout = std::chrono::seconds(timeout.seconds());
  }

  void ReadExpiry(const std::string& path, const v1::Rule& from, RuleSpec& to) {
    if (from.expires_at().seconds() < 1 || from.expires_at().nanos() != 0) {
      Fail(path, "must be whole seconds after 1970");
      return;
    }
    to.expires_at = from.expires_at().seconds();
  }

  void ReadDevice(int i) {
    const v1::DevicePolicy& from = set_.devices(i);
    const std::string path = At("devices", i);
    DeviceSpec to;
    to.name = from.name();
    to.pair = from.pair();
    CheckName(path + ".name", from.name());
    if (!named_pairs_.contains(from.pair())) {
      Fail(path + ".pair", "pair " + Quote(from.pair()) + " is not one of the set's pairs");
    }
    if (from.has_vlan()) to.vlan = ReadVlan(path + ".vlan", from.vlan()).value_or(VlanTags{});
    ReadIdentity(path, from, to);
    ReadMode(path + ".mode", from, to);
    CheckRuleset(path + ".ruleset", from.ruleset());
    to.ruleset = from.ruleset();
    if (from.has_protection()) {
      to.protection = ReadProtection(from.protection(), path + ".protection", fault_);
    }
    if (from.has_limits()) to.limits = ReadLimits(from.limits());
    result_.spec.devices.push_back(std::move(to));
  }

  void ReadIdentity(const std::string& path, const v1::DevicePolicy& from, DeviceSpec& to) {
    if (from.macs().empty() && from.ips().empty()) {
      Fail(path, "has neither a MAC nor an IP address: it could never be recognised");
    }
    if (FitsIn(path + ".macs", from.macs_size(), limits_.macs_per_device)) {
      for (int i = 0; i < from.macs_size(); ++i) {
        if (const auto mac = ParseMac(from.macs(i))) {
          to.macs.push_back(*mac);
        } else {
          Fail(At(path + ".macs", i),
               Quote(from.macs(i)) + " is not a MAC address such as 02:00:00:00:30:21");
        }
      }
    }
    if (FitsIn(path + ".ips", from.ips_size(), limits_.ips_per_device)) {
      for (int i = 0; i < from.ips_size(); ++i) {
        if (const auto ip = ParseIp(from.ips(i))) {
          to.ips.push_back(*ip);
        } else {
          Fail(At(path + ".ips", i), Quote(from.ips(i)) + " is not an IPv4 or IPv6 address");
        }
      }
    }
  }

  void ReadMode(const std::string& path, const v1::DevicePolicy& from, DeviceSpec& to) {
    switch (from.mode()) {
      case v1::MODE_OBSERVE:
        to.mode = Mode::kObserve;
        return;
      case v1::MODE_AUDIT:
        to.mode = Mode::kAudit;
        return;
      case v1::MODE_ENFORCE:
        to.mode = Mode::kEnforce;
        return;
      case v1::MODE_QUARANTINE:
        to.mode = Mode::kQuarantine;
        return;
      default:
        Fail(path,
             "must be observe, audit, enforce or quarantine, not " + std::to_string(from.mode()));
    }
  }

  const v1::PolicySet& set_;
  const std::vector<std::string>& wired_pairs_;
  const PolicySetLimits& limits_;
  const ReportFault fault_ = [this](std::string path, std::string message) {
    Fail(std::move(path), std::move(message));
  };
  std::unordered_set<std::string> named_pairs_;
  std::unordered_set<std::string> guarded_pairs_;
  PolicySetResult result_;
  size_t left_out_ = 0;
};

}  // namespace

PolicySetResult FromProto(const v1::PolicySet& set, const std::string& gateway,
                          const std::vector<std::string>& wired_pairs,
                          const PolicySetLimits& limits) {
  return Converter(set, wired_pairs, limits).Run(gateway);
}

}  // namespace cordon::dp
