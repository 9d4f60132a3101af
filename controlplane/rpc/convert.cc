// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/convert.h"

namespace cordon::cp {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

google::protobuf::Timestamp ToProto(system_clock::time_point time) {
  const auto whole = std::chrono::floor<seconds>(time);
  google::protobuf::Timestamp proto;
  proto.set_seconds(whole.time_since_epoch().count());
  proto.set_nanos(static_cast<int32_t>(nanoseconds(time - whole).count()));
  return proto;
}

google::protobuf::Duration ToProto(nanoseconds duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / 1'000'000'000);
  proto.set_nanos(static_cast<int32_t>(duration.count() % 1'000'000'000));
  return proto;
}

system_clock::time_point FromProto(const google::protobuf::Timestamp& time) {
  constexpr int64_t kYear2200 = 7'258'118'400;  // beyond it nanoseconds would overflow
  if (time.seconds() < 0 || time.seconds() > kYear2200 || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return {};
  }
  return system_clock::time_point(seconds(time.seconds()) + nanoseconds(time.nanos()));
}

void ToProto(dp::VlanTags vlan, v1::Vlan& proto) {
  proto.set_outer(vlan.outer);
  proto.set_inner(vlan.inner);
}

void ToProto(const std::vector<dp::PortRange>& ranges,
             google::protobuf::RepeatedPtrField<v1::PortRange>& proto) {
  for (const dp::PortRange& range : ranges) {
    v1::PortRange& added = *proto.Add();
    added.set_first(range.first);
    added.set_last(range.last);
  }
}

google::protobuf::Timestamp InstantToProto(int64_t unix_seconds) {
  google::protobuf::Timestamp proto;
  proto.set_seconds(unix_seconds);
  return proto;
}

v1::Initiator ToProto(RuleInitiator initiator) {
  return initiator == RuleInitiator::kDevice ? v1::INITIATOR_DEVICE : v1::INITIATOR_PEER;
}

v1::Initiator ToProto(dp::Initiator initiator) {
  return initiator == dp::Initiator::kDevice ? v1::INITIATOR_DEVICE : v1::INITIATOR_PEER;
}

v1::Protocol ToProto(RuleProtocol protocol) {
  switch (protocol) {
    case RuleProtocol::kTcp:
      return v1::PROTOCOL_TCP;
    case RuleProtocol::kUdp:
      return v1::PROTOCOL_UDP;
    case RuleProtocol::kIcmp:
      return v1::PROTOCOL_ICMP;
    case RuleProtocol::kIcmpv6:
      return v1::PROTOCOL_ICMPV6;
    case RuleProtocol::kAny:
      return v1::PROTOCOL_ANY;
    case RuleProtocol::kNumber:
      return v1::PROTOCOL_NUMBER;
  }
  return v1::PROTOCOL_UNSPECIFIED;
}

v1::Protocol ToProto(dp::RuleProtocol protocol) {
  switch (protocol) {
    case dp::RuleProtocol::kTcp:
      return v1::PROTOCOL_TCP;
    case dp::RuleProtocol::kUdp:
      return v1::PROTOCOL_UDP;
    case dp::RuleProtocol::kIcmp:
      return v1::PROTOCOL_ICMP;
    case dp::RuleProtocol::kIcmpv6:
      return v1::PROTOCOL_ICMPV6;
    case dp::RuleProtocol::kAny:
      return v1::PROTOCOL_ANY;
    case dp::RuleProtocol::kNumber:
      return v1::PROTOCOL_NUMBER;
  }
  return v1::PROTOCOL_UNSPECIFIED;
}

v1::Mode ToProto(DeviceMode mode) {
  switch (mode) {
    case DeviceMode::kObserve:
      return v1::MODE_OBSERVE;
    case DeviceMode::kAudit:
      return v1::MODE_AUDIT;
    case DeviceMode::kEnforce:
      return v1::MODE_ENFORCE;
    case DeviceMode::kQuarantine:
      return v1::MODE_QUARANTINE;
  }
  return v1::MODE_UNSPECIFIED;
}

v1::Mode ToProto(dp::Mode mode) {
  switch (mode) {
    case dp::Mode::kObserve:
      return v1::MODE_OBSERVE;
    case dp::Mode::kAudit:
      return v1::MODE_AUDIT;
    case dp::Mode::kEnforce:
      return v1::MODE_ENFORCE;
    case dp::Mode::kQuarantine:
      return v1::MODE_QUARANTINE;
  }
  return v1::MODE_UNSPECIFIED;
}

v1::Verdict ToProto(dp::Verdict verdict) {
  switch (verdict) {
    case dp::Verdict::kDrop:
      return v1::VERDICT_DROP;
    case dp::Verdict::kForward:
      return v1::VERDICT_FORWARD;
    case dp::Verdict::kAudit:
      return v1::VERDICT_AUDIT;
  }
  return v1::VERDICT_UNSPECIFIED;
}

void ToProto(const std::vector<InputFault>& faults,
             google::protobuf::RepeatedPtrField<v1::Fault>& proto) {
  for (const InputFault& fault : faults) {
    v1::Fault& added = *proto.Add();
    added.set_path(fault.place);
    added.set_message(fault.message);
  }
}

std::vector<InputFault> FromProto(const google::protobuf::RepeatedPtrField<v1::Fault>& proto) {
  std::vector<InputFault> faults;
  for (const v1::Fault& fault : proto) faults.push_back({fault.path(), fault.message()});
  return faults;
}

}  // namespace cordon::cp
