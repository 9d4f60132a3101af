// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/direction.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_memcpy.h>

#include <algorithm>
#include <numeric>

namespace cordon::bench {
namespace {

uint32_t Get32(const uint8_t* at) {
  return static_cast<uint32_t>(at[0]) << 24 | static_cast<uint32_t>(at[1]) << 16 |
         static_cast<uint32_t>(at[2]) << 8 | at[3];
}

// Small frames are copied as one whole cache line, which is faster than their exact length: there
// is room behind them on either side.
void CopyFrame(uint8_t* to, const uint8_t* from, uint16_t length) {
  if (length <= 64) {
    rte_mov64(to, from);
  } else {
    rte_memcpy(to, from, length);
  }
}

}  // namespace

void DirectionCounts::Add(const DirectionCounts& other) {
  sent += other.sent;
  sent_allowed += other.sent_allowed;
  received += other.received;
  received_allowed += other.received_allowed;
  received_either += other.received_either;
  wrong += other.wrong;
  foreign += other.foreign;
  calls += other.calls;
  full += other.full;
}

Direction::Direction(const TrafficOptions& options, const Model& model, bool from_device,
                     Segment segment, const PortQueues& ports, rte_mempool* pool)
    : options_(options),
      model_(model),
      from_device_(from_device),
      ports_(ports),
      pool_(pool),
      sent_at_(model.flows.size()) {
  size_t longest = 0;
  for (uint32_t i = 0; i < model.flows.size(); ++i) {
    const uint32_t tag = TagOf(model.flows[i], i);
    if (!from_device && (tag & kRefusedBit) != 0) continue;
    flows_.push_back(i);
    tags_.push_back(tag);
    longest = std::max(longest, options.SizeOf(i));
  }
  stride_ = (longest + 63) & ~size_t{63};
  frames_.resize(stride_ * flows_.size() + kMaxFrame);
  for (uint32_t place = 0; place < flows_.size(); ++place) {
    const ModelFlow& flow = model.flows[flows_[place]];
    lengths_.push_back(static_cast<uint16_t>(BuildFrame(RequestFor(flows_[place], segment),
                                                        model.devices[flow.device], flow,
                                                        &frames_[place * stride_])));
  }
  step_ = std::max<uint64_t>(count() * 2 / 3, 1);
  while (std::gcd(step_, count()) != 1) ++step_;
}

FrameRequest Direction::RequestFor(uint32_t flow, Segment segment) const {
  return {options_.shape, segment, from_device_, options_.SizeOf(flow),
          TagOf(model_.flows[flow], flow)};
}

void Direction::Clear() {
  counts_ = {};
  std::fill(sent_at_.begin(), sent_at_.end(), 0);
}

uint16_t Direction::Transmit(std::array<rte_mbuf*, kBurst>& mbufs, uint16_t want) {
  const uint16_t done = rte_eth_tx_burst(ports_.send_port, 0, mbufs.data(), want);
  counts_.sent += done;
  ++counts_.calls;
  if (done < want) {
    ++counts_.full;
    rte_pktmbuf_free_bulk(mbufs.data() + done, static_cast<unsigned>(want - done));
  }
  return done;
}

uint16_t Direction::Send(uint16_t want, bool timed) {
  std::array<rte_mbuf*, kBurst> mbufs;
  if (rte_pktmbuf_alloc_bulk(pool_, mbufs.data(), want) != 0) return 0;
  uint32_t place = next_;
  for (uint16_t i = 0; i < want; ++i, place = Following(place)) {
    CopyFrame(rte_pktmbuf_mtod(mbufs[i], uint8_t*), frame(place), lengths_[place]);
    mbufs[i]->data_len = lengths_[place];
    mbufs[i]->pkt_len = lengths_[place];
  }
  const uint64_t now = timed ? rte_rdtsc() : 0;
  const uint16_t done = Transmit(mbufs, want);
  for (uint16_t i = 0; i < done; ++i, next_ = Following(next_)) {
    const uint32_t tag = tags_[next_];
    counts_.sent_allowed += (tag & (kRefusedBit | kEitherBit)) == 0 ? 1 : 0;
    if (timed && (tag & ~kFlowMask) == 0 && (tag & kSampleMask) == 0) sent_at_[tag] = now;
  }
  return done;
}

uint16_t Direction::SendOpening(Segment segment, uint16_t want) {
  std::array<rte_mbuf*, kBurst> mbufs;
  if (rte_pktmbuf_alloc_bulk(pool_, mbufs.data(), want) != 0) return 0;
  for (uint16_t i = 0; i < want; ++i) {
    const uint32_t number = flows_[(next_ + i) * step_ % count()];
    const ModelFlow& flow = model_.flows[number];
    const size_t size = BuildFrame(RequestFor(number, segment), model_.devices[flow.device], flow,
                                   rte_pktmbuf_mtod(mbufs[i], uint8_t*));
    mbufs[i]->data_len = static_cast<uint16_t>(size);
    mbufs[i]->pkt_len = static_cast<uint32_t>(size);
  }
  const uint16_t done = Transmit(mbufs, want);
  for (uint16_t i = 0; i < done; ++i, ++next_) {
    const uint32_t tag = tags_[next_ * step_ % count()];
    counts_.sent_allowed += (tag & (kRefusedBit | kEitherBit)) == 0 ? 1 : 0;
  }
  return done;
}

void Direction::Receive(LatencyHistogram* latency) {
  constexpr uint16_t kMost = kBurst * 2;
  std::array<rte_mbuf*, kMost> mbufs;
  for (uint16_t queue = 0; queue < ports_.receive_queues; ++queue) {
    const uint16_t count = rte_eth_rx_burst(ports_.receive_port, queue, mbufs.data(), kMost);
    if (count == 0) continue;
    const uint64_t now = latency != nullptr ? rte_rdtsc() : 0;
    for (uint16_t i = 0; i < count; ++i) {
      Judge(rte_pktmbuf_mtod(mbufs[i], const uint8_t*), mbufs[i]->data_len, latency, now);
    }
    rte_pktmbuf_free_bulk(mbufs.data(), count);
  }
}

// Frames of others (neighbour discovery of a veth) have another destination.
void Direction::Judge(const uint8_t* frame, uint32_t length, LatencyHistogram* latency,
                      uint64_t now) {
  if (length < SmallestFrame(options_.shape) || frame[0] != 0x02) {
    ++counts_.foreign;
    return;
  }
  const uint32_t tag = Get32(frame + length - 4);
  ++counts_.received;
  if ((tag & kRefusedBit) != 0) {
    ++counts_.wrong;
  } else if ((tag & kEitherBit) != 0) {
    ++counts_.received_either;
  } else {
    ++counts_.received_allowed;
    if (latency != nullptr && (tag & kSampleMask) == 0 && tag < sent_at_.size() &&
        sent_at_[tag] != 0) {
      latency->Add(now - sent_at_[tag]);
      sent_at_[tag] = 0;
    }
  }
}

}  // namespace cordon::bench
