// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/flow_record.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace cordon::dp {
namespace {

using google::protobuf::Timestamp;
using google::protobuf::util::TimeUtil;

bool IsIcmp(uint8_t protocol) {
  return protocol == protocol::kIcmp || protocol == protocol::kIcmpv6;
}

v1::Verdict ToProto(Verdict verdict) {
  switch (verdict) {
    case Verdict::kDrop:
      return v1::VERDICT_DROP;
    case Verdict::kForward:
      return v1::VERDICT_FORWARD;
    case Verdict::kAudit:
      return v1::VERDICT_AUDIT;
  }
  return v1::VERDICT_UNSPECIFIED;
}

// Flows opened or frames refused that the event stands for. A flow is counted when it is admitted,
// not again when it ends.
uint64_t CountOf(const FlowEvent& event) {
  switch (event.kind) {
    case EventKind::kAdmitted:
    case EventKind::kLive:
      return 1;
    case EventKind::kAnswered:
    case EventKind::kEnded:
      return 0;
    case EventKind::kRefused:
    case EventKind::kAudited:
      break;
  }
  return std::max<uint64_t>(1, event.frames[0]);
}

bool CarriesCounts(const FlowEvent& event) {
  return event.kind == EventKind::kAnswered || event.kind == EventKind::kEnded ||
         event.kind == EventKind::kLive;
}

Timestamp WallTime(uint64_t event_ns, const EventNames& names) {
  const auto age = static_cast<int64_t>(names.gateway_ns - event_ns);
  const auto wall =
      std::chrono::duration_cast<std::chrono::nanoseconds>(names.wall.time_since_epoch());
  return TimeUtil::NanosecondsToTimestamp(wall.count() - age);
}

std::string IpText(const IpAddress& ip) {
  return ip == IpAddress{} ? "" : ToString(ip);  // all zero: the frame has no such address
}

template <typename T>
void Append(std::string& key, T value) {
  static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void Append(std::string& key, const IpAddress& ip) {
  Append(key, ip.hi);
  Append(key, ip.lo);
}

}  // namespace

v1::FlowRecord ToRecord(const FlowEvent& event, const EventNames& names) {
  v1::FlowRecord record;
  if (event.pair < names.pairs->size()) record.set_pair((*names.pairs)[event.pair]);
  if (names.table != nullptr) {
    record.set_device(std::string(names.table->DeviceName(event.device)));
    record.set_rule(std::string(names.table->RuleOrigin(event.rule)));
    record.set_generation(names.table->generation());
  }
  record.set_device_mac(ToString(event.device_mac));
  if (!event.peer_mac.IsZero()) record.set_peer_mac(ToString(event.peer_mac));
  if (event.vlan != VlanTags{}) {
    record.mutable_vlan()->set_outer(event.vlan.outer);
    record.mutable_vlan()->set_inner(event.vlan.inner);
  }
  record.set_initiator(event.side == Side::kDevice ? v1::INITIATOR_DEVICE : v1::INITIATOR_PEER);
  record.set_protocol(event.protocol);
  record.set_ethertype(event.ethertype);
  record.set_device_ip(IpText(event.device_ip));
  record.set_peer_ip(IpText(event.peer_ip));
  if (IsIcmp(event.protocol)) {
    record.set_icmp_type(event.device_port);
  } else {
    record.set_device_port(event.device_port);
    record.set_peer_port(event.peer_port);
  }
  record.set_verdict(ToProto(event.verdict));
  record.set_reason(std::string(ToString(event.reason)));
  *record.mutable_first_seen() = WallTime(event.first_seen_ns, names);
  *record.mutable_last_seen() = WallTime(std::max(event.first_seen_ns, event.last_seen_ns), names);
  record.set_count(CountOf(event));
  if (CarriesCounts(event)) {
    record.set_initiator_frames(event.frames[0]);
    record.set_initiator_bytes(event.bytes[0]);
    record.set_responder_frames(event.frames[1]);
    record.set_responder_bytes(event.bytes[1]);
  }
  return record;
}

std::string AggregationKey(const FlowEvent& event) {
  std::string key;
  key.reserve(96);
  Append(key, event.stamp);
  Append(key, event.device);
  Append(key, event.rule);
  Append(key, event.pair);
  Append(key, event.vlan.outer);
  Append(key, event.vlan.inner);
  Append(key, event.device_mac.value);
  Append(key, event.side);
  Append(key, event.protocol);
  Append(key, event.ethertype);
  Append(key, event.reason);
  Append(key, event.verdict);
  Append(key, event.device_ip);
  Append(key, event.peer_ip);
  if (IsIcmp(event.protocol)) {
    Append(key, event.device_port);
  } else {
    Append(key, event.side == Side::kDevice ? event.peer_port : event.device_port);
  }
  return key;
}

void RecordMap::Add(const FlowEvent& event, const EventNames& names) {
  std::string key = AggregationKey(event);
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) {
    MakeRoom();
    records_.push_back({key, ToRecord(event, names)});
    by_key_.emplace(std::move(key), std::prev(records_.end()));
    return;
  }
  v1::FlowRecord& record = known->second->record;
  const Timestamp first = WallTime(event.first_seen_ns, names);
  const Timestamp last = WallTime(std::max(event.first_seen_ns, event.last_seen_ns), names);
  if (first < record.first_seen()) *record.mutable_first_seen() = first;
  if (last > record.last_seen()) *record.mutable_last_seen() = last;
  record.set_count(record.count() + CountOf(event));
  if (!CarriesCounts(event)) return;
  record.set_initiator_frames(record.initiator_frames() + event.frames[0]);
  record.set_initiator_bytes(record.initiator_bytes() + event.bytes[0]);
  record.set_responder_frames(record.responder_frames() + event.frames[1]);
  record.set_responder_bytes(record.responder_bytes() + event.bytes[1]);
}

void RecordMap::Return(const v1::FlowRecord& record) {
  if (records_.size() >= capacity_) {
    lost_ += std::max<uint64_t>(1, record.count());
    return;
  }
  records_.push_front({"", record});
}

void RecordMap::Take(size_t most, google::protobuf::RepeatedPtrField<v1::FlowRecord>& to) {
  for (size_t i = 0; i < most && !records_.empty(); ++i) {
    by_key_.erase(records_.front().key);
    *to.Add() = std::move(records_.front().record);
    records_.pop_front();
  }
}

void RecordMap::MakeRoom() {
  if (records_.size() < capacity_) return;
  lost_ += std::max<uint64_t>(1, records_.front().record.count());
  by_key_.erase(records_.front().key);
  records_.pop_front();
}

}  // namespace cordon::dp
