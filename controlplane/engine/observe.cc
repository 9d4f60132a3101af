// SPDX-License-Identifier: Apache-2.0
#include "controlplane/engine/observe.h"

#include <algorithm>

namespace cordon::cp {
namespace {

int32_t DayOf(std::chrono::system_clock::time_point time) {
  return static_cast<int32_t>(
      std::chrono::floor<std::chrono::days>(time).time_since_epoch().count());
}

Observation ToObservation(const FlowRecord& record, std::chrono::system_clock::time_point now) {
  Observation seen;
  seen.device = record.device;
  const bool device_opens = record.initiator == dp::Initiator::kDevice;
  seen.initiator = device_opens ? RuleInitiator::kDevice : RuleInitiator::kPeer;
  seen.protocol = record.protocol;
  seen.peer = *record.peer_ip;
  seen.peer_port = device_opens ? record.peer_port : 0;
  seen.device_port = device_opens ? 0 : record.device_port;
  seen.icmp_type = record.icmp_type;
  seen.answered = record.responder_frames > 0;
  seen.last_seen = std::min(record.last_seen, now);
  seen.first_seen = std::min(record.first_seen, seen.last_seen);
  seen.days = {DayOf(seen.first_seen), DayOf(seen.last_seen)};
  if (seen.days[0] == seen.days[1]) seen.days.pop_back();
  seen.flows = record.count;
  seen.bytes = record.initiator_bytes + record.responder_bytes;
  return seen;
}

}  // namespace

std::vector<Observation> Observe(const std::vector<FlowRecord>& records,
                                 std::chrono::system_clock::time_point now) {
  std::vector<Observation> seen;
  for (const FlowRecord& record : records) {
    if (record.verdict == dp::Verdict::kDrop || record.device.empty()) continue;
    if (!record.peer_ip || record.protocol == 0) continue;
    seen.push_back(ToObservation(record, now));
  }
  return seen;
}

}  // namespace cordon::cp
