// SPDX-License-Identifier: Apache-2.0
// One direction of traffic through a device under test: frames of a model's flows are sent at one
// port and received, and judged, at the other. For one thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tests/bench/latency.h"
#include "tests/bench/model_options.h"

struct rte_mbuf;
struct rte_mempool;

namespace cordon::bench {

struct DirectionCounts {
  uint64_t sent = 0;          // taken by the port
  uint64_t sent_allowed = 0;  // of those, what every policy allows
  uint64_t received = 0;
  uint64_t received_allowed = 0;
  uint64_t received_either = 0;  // what one of two policies allows
  uint64_t wrong = 0;            // refused frames that came through
  uint64_t foreign = 0;          // frames that nobody here sent
  uint64_t calls = 0, full = 0;  // transmit calls, and those that found the ring full

  void Add(const DirectionCounts& other);
};

struct PortQueues {
  uint16_t send_port = 0, receive_port = 0;
  uint16_t receive_queues = 1;
};

class Direction {
 public:
  static constexpr uint16_t kBurst = 32;

  // All references must outlive it. Only flows that some policy allows are sent toward devices.
  // `segment`: what Send sends of TCP flows.
  Direction(const TrafficOptions& options, const Model& model, bool from_device, Segment segment,
            const PortQueues& ports, rte_mempool* pool);

  // Sends up to `want` next frames, at most kBurst; returns how many were taken. With `timed` the
  // time of some is kept.
  uint16_t Send(uint16_t want, bool timed);
  // Sends up to `want` next flows' opening segments, in another order than Send uses, so that
  // neither a table nor a cache sees flows in the order in which they were opened.
  uint16_t SendOpening(Segment segment, uint16_t want);
  // `latency`: where times go; null: not measured.
  void Receive(LatencyHistogram* latency);

  uint32_t count() const { return static_cast<uint32_t>(flows_.size()); }
  void Rewind() { next_ = 0; }
  const DirectionCounts& counts() const { return counts_; }
  void Clear();

 private:
  static constexpr uint32_t kSampleMask = 31;  // one flow in 32 is timed

  const uint8_t* frame(uint32_t i) const { return frames_.data() + i * stride_; }
  uint32_t Following(uint32_t index) const { return index + 1 == count() ? 0 : index + 1; }
  FrameRequest RequestFor(uint32_t flow, Segment segment) const;
  uint16_t Transmit(std::array<rte_mbuf*, kBurst>& mbufs, uint16_t want);
  void Judge(const uint8_t* frame, uint32_t length, LatencyHistogram* latency, uint64_t now);

  const TrafficOptions& options_;
  const Model& model_;
  const bool from_device_;
  const PortQueues ports_;
  rte_mempool* const pool_;
  std::vector<uint32_t> flows_;  // by place in this direction's trace
  std::vector<uint32_t> tags_;
  std::vector<uint16_t> lengths_;
  size_t stride_ = 64;
  std::vector<uint8_t> frames_;
  uint32_t next_ = 0;
  uint64_t step_;                  // coprime to count(): SendOpening takes every step_th flow
  std::vector<uint64_t> sent_at_;  // by flow
  DirectionCounts counts_;
};

}  // namespace cordon::bench
