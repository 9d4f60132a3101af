// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/reporter.h"

#include <algorithm>

namespace cordon::dp {
namespace {

constexpr TimePoint kReportInterval = 1'000'000'000;

Side SideOf(bool peer) { return peer ? Side::kNetwork : Side::kDevice; }

bool IsIcmp(uint8_t number) { return number == protocol::kIcmp || number == protocol::kIcmpv6; }

FlowEvent EventOf(const FlowKey& key) {
  FlowEvent event;
  event.protocol = key.protocol();
  event.pair = key.pair();
  event.device_port = key.device_port;
  event.peer_port = key.peer_port;
  event.vlan = key.vlan();
  event.device_mac = key.device_mac();
  event.device_ip = key.device_ip;
  event.peer_ip = key.peer_ip;
  return event;
}

FlowEvent EventOf(const FlowTable& flows, FlowIndex flow) {
  const FlowEntry& entry = flows.At(flow);
  FlowEvent event = EventOf(flows.KeyOf(flow));
  if (IsIcmp(event.protocol)) {
    event.device_port = static_cast<uint16_t>(entry.icmp_type_code >> 8);
    event.peer_port = 0;
  }
  event.side = SideOf(entry.initiated_by_peer());
  event.verdict = entry.verdict;
  event.reason = entry.reason;
  event.ethertype = entry.words.is_ipv6() ? 0x86dd : 0x0800;
  event.stamp = entry.stamp;
  event.device = entry.device;
  event.rule = entry.rule;
  event.first_seen_ns = flows.DetailOf(flow).first_seen_ns;
  for (size_t i = 0; i < 2; ++i) {
    event.frames[i] = entry.frames[i];
    event.bytes[i] = entry.bytes[i];
  }
  return event;
}

FlowEvent EventOf(uint16_t pair, const Slot& slot) {
  const Packet& packet = slot.packet;
  const bool from_device = slot.side == Side::kDevice;
  FlowEvent event = EventOf(slot.key);
  event.protocol = packet.protocol;
  event.device_port = from_device ? packet.source_port : packet.destination_port;
  event.peer_port = from_device ? packet.destination_port : packet.source_port;
  if (IsIcmp(packet.protocol)) event.device_port = packet.icmp_type;
  event.pair = pair;
  event.side = slot.side;
  event.verdict = slot.decision.verdict;
  event.reason = slot.decision.reason;
  event.ethertype = packet.ethertype;
  event.device = slot.decision.device;
  event.rule = slot.decision.rule;
  event.peer_mac = from_device ? packet.destination_mac : packet.source_mac;
  return event;
}

// On the clock of `now`, which the entry keeps in milliseconds of 32 bits.
TimePoint LastSeen(const FlowEntry& entry, TimePoint now) {
  const auto now_ms = static_cast<Milliseconds>(now / 1'000'000);
  return now - uint64_t{static_cast<Milliseconds>(now_ms - entry.last_seen)} * 1'000'000;
}

}  // namespace

FlowEvent LiveEventOf(const FlowTable& flows, FlowIndex flow, TimePoint now) noexcept {
  FlowEvent event = EventOf(flows, flow);
  event.kind = EventKind::kLive;
  event.last_seen_ns = LastSeen(flows.At(flow), now);
  return event;
}

Reporter::Reporter(EventRing& ring, WorkerCounters& counters)
    : ring_(ring), counters_(counters), recent_(std::make_unique<std::array<Recent, kRecent>>()) {}

void Reporter::FrameRefused(uint16_t pair, const Slot& slot, uint32_t stamp,
                            TimePoint now) noexcept {
  if (!MayTellOfRefusal(now)) [[unlikely]] {
    counters_.events_suppressed.Add(1);
    return;
  }
  const auto reason = static_cast<uint64_t>(slot.decision.reason) + 1;
  const uint64_t tag = MultiplyMix(slot.hash ^ reason, 0x9e3779b97f4a7c15ULL) | 1;
  Recent& recent = (*recent_)[tag >> 32 & (kRecent - 1)];
  if (recent.tag != tag) {
    recent = {tag, 0, 0, 0};
  } else if (now - recent.reported < kReportInterval) {
    ++recent.frames;
    recent.bytes += slot.packet.frame_length;
    return;
  }
  FlowEvent event = EventOf(pair, slot);
  event.kind = slot.decision.verdict == Verdict::kAudit ? EventKind::kAudited : EventKind::kRefused;
  event.stamp = stamp;
  event.first_seen_ns = event.last_seen_ns = now;
  event.frames[0] = recent.frames + 1;
  event.bytes[0] = recent.bytes + slot.packet.frame_length;
  recent = {tag, now, 0, 0};
  --refusals_left_;
  Push(event);
}

// A bucket of events, filled up as time passes. The clock is only divided when it is empty.
bool Reporter::MayTellOfRefusal(TimePoint now) noexcept {
  constexpr TimePoint kPerEvent = 1'000'000'000 / kRefusalsPerSecond;
  if (refusals_left_ != 0) [[likely]]
    return true;
  const bool is_first = refusals_filled_ == 0;
  if (!is_first && now - refusals_filled_ < 64 * kPerEvent) return false;
  refusals_left_ =
      is_first ? kRefusalBurst : std::min(kRefusalBurst, (now - refusals_filled_) / kPerEvent);
  refusals_filled_ = now;
  return true;
}

void Reporter::FlowAdmitted(const FlowTable& flows, FlowIndex flow, TimePoint now) noexcept {
  FlowEvent event = EventOf(flows, flow);
  event.kind = EventKind::kAdmitted;
  event.last_seen_ns = now;
  Push(event);
}

void Reporter::FlowAnswered(const FlowTable& flows, FlowIndex flow, TimePoint now) noexcept {
  FlowEvent event = EventOf(flows, flow);
  event.kind = EventKind::kAnswered;
  event.last_seen_ns = now;
  event.frames[0] = event.bytes[0] = event.bytes[1] = 0;
  event.frames[1] = 1;
  Push(event);
}

void Reporter::FlowEnded(const FlowTable& flows, FlowIndex flow, TimePoint now) noexcept {
  const FlowEntry& entry = flows.At(flow);
  FlowEvent event = EventOf(flows, flow);
  event.kind = EventKind::kEnded;
  event.frames[1] = entry.answered() ? entry.frames[1] - 1 : 0;
  event.last_seen_ns = LastSeen(flows.At(flow), now);
  Push(event);
}

void Reporter::Push(const FlowEvent& event) noexcept {
  if (!ring_.Push(event)) counters_.events_lost.Add(1);
}

}  // namespace cordon::dp
