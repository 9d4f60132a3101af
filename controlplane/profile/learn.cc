// SPDX-License-Identifier: Apache-2.0
#include "controlplane/profile/learn.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "controlplane/profile/coverage.h"
#include "controlplane/profile/evidence.h"

namespace cordon::cp {
namespace {

namespace protocol = dp::protocol;

// An initiator that asks this many peers, or this many ports, without an answer is scanning.
constexpr size_t kScanTargets = 16;
constexpr size_t kMaxLeftOut = 200;  // sentences
constexpr size_t kMaxNamed = 4;      // peers in a sentence
constexpr size_t kMaxNameSize = 63;  // of a resource name
constexpr std::string_view kSuffix = "-learned";

uint16_t ListeningPort(const Observation& seen) {
  return seen.initiator == RuleInitiator::kDevice ? seen.peer_port : seen.device_port;
}

bool IsGroup(const dp::IpAddress& address) {
  return address.IsMulticast() || address.IsLimitedBroadcast();
}

bool HasPorts(const Observation& seen) {
  return seen.protocol == protocol::kTcp || seen.protocol == protocol::kUdp;
}

std::optional<RuleProtocol> ProtocolOf(uint8_t number) {
  switch (number) {
    case protocol::kTcp:
      return RuleProtocol::kTcp;
    case protocol::kUdp:
      return RuleProtocol::kUdp;
    case protocol::kIcmp:
      return RuleProtocol::kIcmp;
    case protocol::kIcmpv6:
      return RuleProtocol::kIcmpv6;
    default:
      return std::nullopt;
  }
}

// "tcp/104", "icmp/8", "protocol 47"
std::string ServiceName(uint8_t number, uint16_t detail) {
  switch (number) {
    case protocol::kTcp:
      return "tcp/" + std::to_string(detail);
    case protocol::kUdp:
      return "udp/" + std::to_string(detail);
    case protocol::kIcmp:
      return "icmp/" + std::to_string(detail);
    case protocol::kIcmpv6:
      return "icmpv6/" + std::to_string(detail);
    default:
      return "protocol " + std::to_string(number);
  }
}

// What one rule is about: who begins, the protocol, and the listening port or ICMP type.
struct Service {
  RuleInitiator initiator;
  uint8_t protocol;
  uint16_t detail;
  friend auto operator<=>(const Service&, const Service&) = default;
};

Service ServiceOf(const Observation& seen) {
  const uint16_t detail = HasPorts(seen) ? ListeningPort(seen) : uint16_t{seen.icmp_type};
  return {seen.initiator, seen.protocol, detail};
}

// Why a conversation is not proposed; the value is the order of the sentences.
enum class Objection { kScan, kScanner, kUnanswered, kNoPort, kNoPeer, kProtocol };

// Who scans, judged by what nobody answered.
class Scans {
 public:
  explicit Scans(const std::vector<Observation>& observations) {
    for (const Observation& seen : observations) {
      if (seen.answered || !HasPorts(seen) || IsGroup(seen.peer)) continue;
      const uint16_t port = ListeningPort(seen);
      if (seen.initiator == RuleInitiator::kPeer) {
        by_peer_[seen.peer].insert({seen.device, seen.protocol, port});
      } else {
        across_peers_[{seen.device, seen.protocol, port}].insert(seen.peer);
        across_ports_[{seen.device, seen.protocol, seen.peer}].insert(port);
      }
    }
  }

  // One port on many peers: an answer there was only a hit.
  bool IsSweep(const Observation& seen) const {
    if (seen.initiator != RuleInitiator::kDevice || !HasPorts(seen)) return false;
    return Reaches(across_peers_, std::tuple(seen.device, seen.protocol, ListeningPort(seen)));
  }
  // Many ports of one peer. What was answered may be the peer's true service.
  bool IsPortScan(const Observation& seen) const {
    if (seen.initiator != RuleInitiator::kDevice || !HasPorts(seen) || seen.answered) return false;
    return Reaches(across_ports_, std::tuple(seen.device, seen.protocol, seen.peer));
  }
  bool IsScanner(const Observation& seen) const {
    return seen.initiator == RuleInitiator::kPeer && Reaches(by_peer_, seen.peer);
  }

 private:
  template <typename Map, typename Key>
  static bool Reaches(const Map& targets, const Key& key) {
    const auto found = targets.find(key);
    return found != targets.end() && found->second.size() >= kScanTargets;
  }

  std::map<std::tuple<std::string, uint8_t, uint16_t>, std::set<dp::IpAddress>> across_peers_;
  std::map<std::tuple<std::string, uint8_t, dp::IpAddress>, std::set<uint16_t>> across_ports_;
  std::map<dp::IpAddress, std::set<std::tuple<std::string, uint8_t, uint16_t>>> by_peer_;
};

// UDP may speak without waiting for an answer (syslog, traps), and groups never answer.
bool NeedsAnswer(const Observation& seen) {
  return seen.protocol != protocol::kUdp && !IsGroup(seen.peer);
}

std::optional<Objection> ObjectionTo(const Observation& seen, const Scans& scans) {
  if (scans.IsSweep(seen) || scans.IsPortScan(seen)) return Objection::kScan;
  if (scans.IsScanner(seen)) return Objection::kScanner;
  if (!ProtocolOf(seen.protocol)) return Objection::kProtocol;
  if (seen.peer.IsUnspecified()) return Objection::kNoPeer;
  if (HasPorts(seen) && ListeningPort(seen) == 0) return Objection::kNoPort;
  if (!seen.answered && NeedsAnswer(seen)) return Objection::kUnanswered;
  return std::nullopt;
}

// What is left out for one reason, in one sentence.
struct LeftOut {
  std::set<dp::IpAddress> peers;
  std::set<std::string> devices;
  std::set<std::string> services;
  Evidence evidence;

  void Add(const Observation& seen) {
    const Service service = ServiceOf(seen);
    peers.insert(seen.peer);
    devices.insert(seen.device);
    services.insert(ServiceName(service.protocol, service.detail));
    evidence.Add(seen);
  }
};

// Sentences by objection, then by who began it: a scanner in one line, whatever it scanned.
using LeftOutKey = std::tuple<Objection, RuleInitiator, std::string, std::string>;
LeftOutKey KeyOf(Objection objection, const Observation& seen) {
  const Service service = ServiceOf(seen);
  const bool scan = objection == Objection::kScan || objection == Objection::kScanner;
  return {objection, seen.initiator,
          seen.initiator == RuleInitiator::kDevice ? seen.device : dp::ToString(seen.peer),
          scan ? "" : ServiceName(service.protocol, service.detail)};
}

template <typename Set, typename Convert>
std::string Some(const Set& values, std::string_view noun, Convert convert) {
  if (values.size() > kMaxNamed) {
    return std::to_string(values.size()) + " " + std::string(noun) + "s";
  }
  std::string list;
  for (const auto& value : values) list += (list.empty() ? "" : ", ") + convert(value);
  return list;
}

std::string Why(Objection objection) {
  switch (objection) {
    case Objection::kScan:
      return "looks like a scan: most never answered";
    case Objection::kScanner:
      return "this peer scans; if it is meant to, write its rules by hand";
    case Objection::kUnanswered:
      return "never answered";
    case Objection::kNoPort:
      return "has no listening port";
    case Objection::kNoPeer:
      return "has no peer address";
    case Objection::kProtocol:
      return "no rule can name this protocol";
  }
  return "";
}

std::string Sentence(const LeftOutKey& key, const LeftOut& left_out) {
  const auto& [objection, initiator, who, service] = key;
  const auto text = [](const std::string& value) { return value; };
  const auto address = [](const dp::IpAddress& value) { return dp::ToString(value); };
  const std::string whom = initiator == RuleInitiator::kDevice
                               ? Some(left_out.peers, "peer", address)
                               : Some(left_out.devices, "device", text);
  return who + " to " + whom + ", " + Some(left_out.services, "service", text) + ": " +
         Why(objection) + " (" + left_out.evidence.Describe() + ")";
}

std::vector<std::string> Sentences(const std::map<LeftOutKey, LeftOut>& left_out) {
  std::vector<std::string> sentences;
  for (const auto& [key, what] : left_out) {
    if (sentences.size() == kMaxLeftOut) {
      sentences.push_back("and " + std::to_string(left_out.size() - kMaxLeftOut) +
                          " more that nobody answered or no rule can name");
      break;
    }
    sentences.push_back(Sentence(key, what));
  }
  return sentences;
}

// A peer's name only if it means exactly these addresses: anything more would admit what nobody
// saw. Where several peers have the same addresses, which one was meant cannot be seen: addresses.
std::vector<std::string> PeerTexts(const std::set<dp::IpAddress>& addresses,
                                   const std::vector<Peer>& peers) {
  std::vector<std::string> names;
  for (const Peer& peer : peers) {
    std::set<dp::IpAddress> known;
    const bool single =
        std::all_of(peer.addresses.begin(), peer.addresses.end(), [&](const dp::IpPrefix& prefix) {
          known.insert(prefix.address);
          return prefix.length == (prefix.address.IsV4() ? 32 : 128);
        });
    if (single && known == addresses) names.push_back(peer.name);
  }
  if (names.size() == 1) return names;
  std::vector<std::string> texts;
  for (const dp::IpAddress& address : addresses) texts.push_back(dp::ToString(address));
  return texts;
}

ProposedRule MakeRule(const Service& service, const std::set<dp::IpAddress>& addresses,
                      const Evidence& evidence, const std::vector<Peer>& peers) {
  ProposedRule proposed;
  ProfileRule& rule = proposed.rule;
  std::string id = ServiceName(service.protocol, service.detail);
  std::replace(id.begin(), id.end(), '/', '-');
  rule.id = (service.initiator == RuleInitiator::kDevice ? "device-" : "peer-") + id;
  rule.initiator = service.initiator;
  rule.peer = PeerTexts(addresses, peers);
  rule.protocol = *ProtocolOf(service.protocol);
  if (service.protocol == protocol::kTcp || service.protocol == protocol::kUdp) {
    auto& ports = service.initiator == RuleInitiator::kDevice ? rule.peer_ports : rule.device_ports;
    ports = {{service.detail, service.detail}};
  } else {
    rule.icmp_types = {static_cast<uint8_t>(service.detail)};
  }
  rule.reason = "seen on " + evidence.Describe();
  if (!evidence.answered()) rule.reason += ", one way";
  proposed.devices = evidence.devices();
  proposed.days = evidence.days();
  proposed.flows = evidence.flows();
  proposed.bytes = evidence.bytes();
  proposed.first_seen = evidence.first_seen();
  proposed.last_seen = evidence.last_seen();
  return proposed;
}

}  // namespace

Proposal Propose(const std::string& name, const std::vector<Observation>& observations,
                 const Profile* present, const std::vector<Peer>& peers) {
  const Scans scans(observations);
  std::map<LeftOutKey, LeftOut> left_out;
  std::map<Service, std::pair<std::set<dp::IpAddress>, Evidence>> services;
  for (const Observation& seen : observations) {
    if (const auto objection = ObjectionTo(seen, scans)) {
      left_out[KeyOf(*objection, seen)].Add(seen);
      continue;
    }
    auto& [addresses, evidence] = services[ServiceOf(seen)];
    addresses.insert(seen.peer);
    evidence.Add(seen);
  }
  Proposal proposal;
  proposal.name = name.substr(0, kMaxNameSize - kSuffix.size()) + std::string(kSuffix);
  for (const auto& [service, seen] : services) {
    ProposedRule proposed = MakeRule(service, seen.first, seen.second, peers);
    if (present != nullptr) {
      proposed.covered_by = CoveredBy(proposed.rule, seen.first, *present, peers);
    }
    proposal.rules.push_back(std::move(proposed));
  }
  proposal.left_out = Sentences(left_out);
  return proposal;
}

}  // namespace cordon::cp
