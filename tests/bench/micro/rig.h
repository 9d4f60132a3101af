// SPDX-License-Identifier: Apache-2.0
// One worker's pipeline without ports: frames come from memory in bursts of 32, as from a NIC that
// writes into the cache, and only what lies between Receive and Transmit is timed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/pipeline/pipeline.h"
#include "tests/bench/model_spec.h"

namespace cordon::bench {

// While it lives, this program's session comes first on its cores, so that one can measure on a
// busy machine. Without the right to do so, or a kernel that shares out by session, it does
// nothing.
class Precedence {
 public:
  Precedence();
  ~Precedence();
};

// The time stamp counter, or nanoseconds where there is none.
uint64_t ReadCycles() noexcept;

// Frames of one side, in one block of memory.
class FrameSet {
 public:
  FrameSet(const Model& model, FrameShape shape, Segment segment, bool from_device);
  size_t size() const { return count_; }
  const uint8_t* frame(size_t i) const { return data_.data() + i * kStride; }
  size_t frame_size() const { return frame_size_; }

  static constexpr size_t kStride = 128;

 private:
  size_t count_;
  size_t frame_size_;
  std::vector<uint8_t> data_;
};

struct Timed {
  uint64_t frames = 0;
  uint64_t passed = 0;
  uint64_t cycles = 0;        // of the pipeline and of the loop around it
  uint64_t empty_cycles = 0;  // of the loop alone
};

class Rig {
 public:
  explicit Rig(dp::PolicySlot& policy) : policy_(policy) {}

  // Forgets every flow. Memory for `capacity` flows is taken and touched anew.
  void Reset(size_t capacity);
  // Sends frames [first, first + count) of the set, wrapping at its end, in the order of `order`,
  // which has a place for every frame of the set.
  Timed Send(const FrameSet& set, dp::Side side, const std::vector<uint32_t>& order, size_t first,
             size_t count);
  uint64_t flow_count() const { return flows_->size(); }

 private:
  // Frames in flight between the source and the pipeline: what a receive ring would hold.
  static constexpr size_t kRing = 1024;

  void Fill(const FrameSet& set, const std::vector<uint32_t>& order, size_t first, size_t count);
  template <typename Decide>
  uint64_t Walk(const FrameSet& set, dp::Side side, size_t count, Decide decide);
  void DrainEvents();

  dp::PolicySlot& policy_;
  std::unique_ptr<dp::FlowTable> flows_;
  std::unique_ptr<dp::WorkerCounters> counters_;
  std::unique_ptr<dp::EventRing> events_;
  std::unique_ptr<dp::Pipeline> pipeline_;
  dp::Burst burst_;
  std::vector<uint8_t> ring_ = std::vector<uint8_t>(kRing * FrameSet::kStride + 64);
  dp::TimePoint now_ = 1'000'000'000'000;
};

}  // namespace cordon::bench
