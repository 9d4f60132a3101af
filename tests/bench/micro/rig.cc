// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/micro/rig.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <chrono>
#endif

#include <algorithm>
#include <cstring>
#include <fstream>

namespace cordon::bench {

uint64_t ReadCycles() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

Precedence::Precedence() { std::ofstream("/proc/self/autogroup") << -20; }
Precedence::~Precedence() { std::ofstream("/proc/self/autogroup") << 0; }

FrameSet::FrameSet(const Model& model, FrameShape shape, Segment segment, bool from_device)
    : count_(model.flows.size()),
      frame_size_(SmallestFrame(shape)),
      data_(model.flows.size() * kStride) {
  std::array<uint8_t, kMaxFrame> frame;
  for (size_t i = 0; i < count_; ++i) {
    const ModelFlow& flow = model.flows[i];
    BuildFrame({shape, segment, from_device, frame_size_, TagOf(flow, static_cast<uint32_t>(i))},
               model.devices[flow.device], flow, frame.data());
    std::memcpy(&data_[i * kStride], frame.data(), frame_size_);
  }
}

void Rig::Reset(size_t capacity) {
  pipeline_.reset();
  flows_.reset();
  flows_ = std::make_unique<dp::FlowTable>(capacity, dp::HashSeed{{1, 22, 333, 4444, 55555, 6}});
  counters_ = std::make_unique<dp::WorkerCounters>();
  events_ = std::make_unique<dp::EventRing>(4 * kRing);
  pipeline_ = std::make_unique<dp::Pipeline>(0, policy_, *flows_, *counters_, *events_);
}

void Rig::Fill(const FrameSet& set, const std::vector<uint32_t>& order, size_t first,
               size_t count) {
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(&ring_[i * FrameSet::kStride], set.frame(order[(first + i) % set.size()]),
                FrameSet::kStride);
  }
}

template <typename Decide>
uint64_t Rig::Walk(const FrameSet& set, dp::Side side, size_t count, Decide decide) {
  const auto size = static_cast<uint32_t>(set.frame_size());
  uint64_t passed = 0;
  for (size_t first = 0; first < count; first += dp::kMaxBurst) {
    burst_.pair = 0;
    burst_.side = side;
    burst_.count = std::min(dp::kMaxBurst, count - first);
    for (size_t i = 0; i < burst_.count; ++i) {
      const uint8_t* bytes = &ring_[(first + i) * FrameSet::kStride];
      __builtin_prefetch(bytes);
      burst_.frames[i] = {};
      burst_.frames[i].bytes = {bytes, size};
      burst_.frames[i].length = size;
    }
    decide();
    for (size_t i = 0; i < burst_.count; ++i) passed += burst_.ShouldForward(i) ? 1 : 0;
  }
  return passed;
}

Timed Rig::Send(const FrameSet& set, dp::Side side, const std::vector<uint32_t>& order,
                size_t first, size_t count) {
  Timed timed;
  for (size_t done = 0; done < count; done += kRing) {
    const size_t chunk = std::min(kRing, count - done);
    Fill(set, order, first + done, chunk);
    const uint64_t start = ReadCycles();
    Walk(set, side, chunk, [] { __asm__ volatile("" ::: "memory"); });
    const uint64_t middle = ReadCycles();
    timed.passed += Walk(set, side, chunk, [this] {
      pipeline_->ProcessBurst(burst_, now_ += 1000);
      policy_.Quiesce(0);
    });
    timed.cycles += ReadCycles() - middle;
    timed.empty_cycles += middle - start;
    timed.frames += chunk;
    DrainEvents();
  }
  return timed;
}

void Rig::DrainEvents() {
  dp::FlowEvent event;
  while (events_->Pop(event)) {
  }
}

}  // namespace cordon::bench
