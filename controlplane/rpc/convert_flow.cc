// SPDX-License-Identifier: Apache-2.0
// Flow records in both directions, and the question of Explain. Gateways are checked like anybody
// else: what they report ends in the event log and the database.
#include <limits>

#include "controlplane/rpc/convert.h"

namespace cordon::cp {
namespace {

constexpr size_t kMaxNameBytes = 256;

// Collects faults below one path.
class Checker {
 public:
  Checker(std::string path, std::vector<InputFault>& faults)
      : path_(std::move(path)), faults_(faults), before_(faults.size()) {}

  void Fail(const char* field, std::string message) {
    faults_.push_back({path_.empty() ? field : path_ + "." + field, std::move(message)});
  }
  bool clean() const { return faults_.size() == before_; }

  template <typename Number>
  Number Bounded(const char* field, uint32_t value,
                 uint32_t most = std::numeric_limits<Number>::max()) {
    if (value > most) {
      Fail(field, "is " + std::to_string(value) + "; it must be at most " + std::to_string(most));
      return 0;
    }
    return static_cast<Number>(value);
  }
  std::string Name(const char* field, const std::string& value) {
    if (value.size() > kMaxNameBytes) {
      Fail(field, "is longer than " + std::to_string(kMaxNameBytes) + " bytes");
      return "";
    }
    return value;
  }
  dp::MacAddress Mac(const char* field, const std::string& value) {
    if (value.empty()) return {};
    const auto mac = value.size() <= kMaxNameBytes ? dp::ParseMac(value) : std::nullopt;
    if (!mac) Fail(field, "is not a MAC address such as 02:00:00:00:30:21");
    return mac.value_or(dp::MacAddress{});
  }
  std::optional<dp::IpAddress> Ip(const char* field, const std::string& value) {
    if (value.empty()) return std::nullopt;
    const auto ip = value.size() <= kMaxNameBytes ? dp::ParseIp(value) : std::nullopt;
    if (!ip) Fail(field, "is not an IP address");
    return ip;
  }
  dp::Initiator Initiator(const char* field, v1::Initiator value) {
    if (value != v1::INITIATOR_DEVICE && value != v1::INITIATOR_PEER) {
      Fail(field, "must be INITIATOR_DEVICE or INITIATOR_PEER");
    }
    return value == v1::INITIATOR_PEER ? dp::Initiator::kPeer : dp::Initiator::kDevice;
  }

 private:
  const std::string path_;
  std::vector<InputFault>& faults_;
  const size_t before_;
};

dp::Verdict VerdictFrom(v1::Verdict verdict, Checker& check) {
  switch (verdict) {
    case v1::VERDICT_DROP:
      return dp::Verdict::kDrop;
    case v1::VERDICT_FORWARD:
      return dp::Verdict::kForward;
    case v1::VERDICT_AUDIT:
      return dp::Verdict::kAudit;
    default:
      check.Fail("verdict", "must be VERDICT_DROP, VERDICT_FORWARD or VERDICT_AUDIT");
      return dp::Verdict::kDrop;
  }
}

uint8_t ProtocolNumber(v1::Protocol protocol, Checker& check) {
  switch (protocol) {
    case v1::PROTOCOL_TCP:
      return dp::protocol::kTcp;
    case v1::PROTOCOL_UDP:
      return dp::protocol::kUdp;
    case v1::PROTOCOL_ICMP:
      return dp::protocol::kIcmp;
    case v1::PROTOCOL_ICMPV6:
      return dp::protocol::kIcmpv6;
    default:
      check.Fail("protocol", "must be tcp, udp, icmp or icmpv6: a packet has one protocol");
      return 0;
  }
}

// A source port for questions that leave it open: from the range that systems pick from.
constexpr uint16_t kEphemeralPort = 49152;

}  // namespace

void ToProto(const FlowRecord& record, v1::FlowRecord& proto) {
  proto.set_gateway(record.gateway);
  proto.set_pair(record.pair);
  proto.set_device(record.device);
  if (!record.device_mac.IsZero()) proto.set_device_mac(dp::ToString(record.device_mac));
  if (!record.peer_mac.IsZero()) proto.set_peer_mac(dp::ToString(record.peer_mac));
  if (record.vlan != dp::VlanTags{}) ToProto(record.vlan, *proto.mutable_vlan());
  proto.set_initiator(ToProto(record.initiator));
  proto.set_protocol(record.protocol);
  proto.set_ethertype(record.ethertype);
  if (record.device_ip) proto.set_device_ip(dp::ToString(*record.device_ip));
  if (record.peer_ip) proto.set_peer_ip(dp::ToString(*record.peer_ip));
  proto.set_device_port(record.device_port);
  proto.set_peer_port(record.peer_port);
  proto.set_icmp_type(record.icmp_type);
  proto.set_verdict(ToProto(record.verdict));
  proto.set_reason(record.reason);
  proto.set_rule(record.rule);
  proto.set_generation(record.generation);
  *proto.mutable_first_seen() = ToProto(record.first_seen);
  *proto.mutable_last_seen() = ToProto(record.last_seen);
  proto.set_count(record.count);
  proto.set_initiator_frames(record.initiator_frames);
  proto.set_initiator_bytes(record.initiator_bytes);
  proto.set_responder_frames(record.responder_frames);
  proto.set_responder_bytes(record.responder_bytes);
}

std::optional<FlowRecord> FromProto(const v1::FlowRecord& proto, const std::string& path,
                                    std::vector<InputFault>& faults) {
  Checker check(path, faults);
  FlowRecord record;
  record.pair = check.Name("pair", proto.pair());
  record.device = check.Name("device", proto.device());
  record.device_mac = check.Mac("device_mac", proto.device_mac());
  record.peer_mac = check.Mac("peer_mac", proto.peer_mac());
  record.vlan.outer = check.Bounded<uint16_t>("vlan.outer", proto.vlan().outer(), 4095);
  record.vlan.inner = check.Bounded<uint16_t>("vlan.inner", proto.vlan().inner(), 4095);
  record.initiator = check.Initiator("initiator", proto.initiator());
  record.protocol = check.Bounded<uint8_t>("protocol", proto.protocol());
  record.ethertype = check.Bounded<uint16_t>("ethertype", proto.ethertype());
  record.device_ip = check.Ip("device_ip", proto.device_ip());
  record.peer_ip = check.Ip("peer_ip", proto.peer_ip());
  record.device_port = check.Bounded<uint16_t>("device_port", proto.device_port());
  record.peer_port = check.Bounded<uint16_t>("peer_port", proto.peer_port());
  record.icmp_type = check.Bounded<uint8_t>("icmp_type", proto.icmp_type());
  record.verdict = VerdictFrom(proto.verdict(), check);
  record.reason = check.Name("reason", proto.reason());
  record.rule = check.Name("rule", proto.rule());
  record.generation = proto.generation();
  record.first_seen = FromProto(proto.first_seen());
  record.last_seen = FromProto(proto.last_seen());
  record.count = proto.count();
  record.initiator_frames = proto.initiator_frames();
  record.initiator_bytes = proto.initiator_bytes();
  record.responder_frames = proto.responder_frames();
  record.responder_bytes = proto.responder_bytes();
  if (!check.clean()) return std::nullopt;
  return record;
}

Question FromProto(const v1::ExplainRequest& request, std::vector<InputFault>& faults) {
  Checker check("", faults);
  Question question;
  question.device = check.Name("device", request.device());
  if (request.device().empty()) check.Fail("device", "is missing: name the device");
  question.flow.initiator = check.Initiator("initiator", request.initiator());
  question.flow.protocol = ProtocolNumber(request.protocol(), check);
  if (request.peer_ip().empty()) check.Fail("peer_ip", "is missing: give the peer's IP address");
  if (const auto peer = check.Ip("peer_ip", request.peer_ip())) question.flow.peer = *peer;
  question.flow.peer_port = check.Bounded<uint16_t>("peer_port", request.peer_port());
  question.flow.device_port = check.Bounded<uint16_t>("device_port", request.device_port());
  question.flow.icmp_type = check.Bounded<uint8_t>("icmp_type", request.icmp_type());

  const bool has_ports =
      request.protocol() == v1::PROTOCOL_TCP || request.protocol() == v1::PROTOCOL_UDP;
  const bool device_opens = question.flow.initiator == dp::Initiator::kDevice;
  if (!has_ports && (request.peer_port() != 0 || request.device_port() != 0)) {
    check.Fail("peer_port", "is only for tcp and udp");
  }
  if (has_ports && device_opens && request.peer_port() == 0) {
    check.Fail("peer_port", "is missing: the port at the peer, 1-65535");
  }
  if (has_ports && !device_opens && request.device_port() == 0) {
    check.Fail("device_port", "is missing: the port at the device, 1-65535");
  }
  uint16_t& open_port = device_opens ? question.flow.device_port : question.flow.peer_port;
  if (has_ports && open_port == 0) open_port = kEphemeralPort;
  return question;
}

}  // namespace cordon::cp
