// SPDX-License-Identifier: Apache-2.0
// Two legal ends, with a tracker and a lossy, reordering network between them: nothing that its
// receiver could use is ever refused, and every connection comes to its end.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/unit/dataplane/flow/tcp_endpoint.h"

namespace cordon::dp {
namespace {

using namespace testing;

struct NetworkOptions {
  int loss_percent = 5;
  int duplicate_percent = 3;
  size_t reorder = 4;  // how many may overtake each other
};

// One direction of one cable.
class Cable {
 public:
  void Put(const TcpSegment& segment) { queue_.push_back(segment); }
  std::optional<TcpSegment> Take(Random& random, const NetworkOptions& options) {
    if (queue_.empty()) return std::nullopt;
    const size_t i = random() % std::min(queue_.size(), options.reorder);
    const TcpSegment segment = queue_[i];
    if (!Chance(random, options.duplicate_percent)) {
      queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (Chance(random, options.loss_percent)) return std::nullopt;
    return segment;
  }

 private:
  std::vector<TcpSegment> queue_;
};

struct Tally {
  size_t segments = 0;
  size_t refused = 0;
  size_t refused_though_useful = 0;
};

// The initiator is ends[0].
class Simulation {
 public:
  Simulation(uint32_t seed, const TcpEndpointOptions& initiator,
             const TcpEndpointOptions& responder, const NetworkOptions& network = {})
      : random_(seed), network_(network), ends_{TcpEndpoint(initiator), TcpEndpoint(responder)} {}

  // The gateway starts when `segments` have passed; 0: before the first SYN.
  Simulation& AdoptAfter(size_t segments) {
    adopt_after_ = segments;
    return *this;
  }

  // Whether both ends come to their end.
  bool Run() {
    for (int step = 0; step < 100'000; ++step) {
      if (ends_[0].done() && ends_[1].done()) return true;
      const size_t side = random_() % 2;
      if (const auto sent = ends_[side].Poll(random_)) before_[side].Put(*sent);
      if (const auto arrived = before_[side].Take(random_, network_)) {
        if (Passes(static_cast<FlowSide>(side), *arrived)) behind_[side].Put(*arrived);
      }
      if (const auto delivered = behind_[side].Take(random_, network_)) {
        ends_[1 - side].Receive(*delivered);
      }
    }
    return false;
  }
  const Tally& tally() const { return tally_; }
  const TcpTrack& track() const { return track_; }
  const TcpEndpoint& end(size_t i) const { return ends_[i]; }

 private:
  bool Passes(FlowSide from, const TcpSegment& segment) {
    ++tally_.segments;
    if (track_.state == TcpState::kNone) return Opens(from, segment);
    if (TrackEstablished(track_, from, segment)) return true;
    const TcpOutcome outcome = Track(track_, from, segment);
    const bool is_useful = ends_[1 - static_cast<size_t>(from)].HasUseFor(segment);
    if (outcome.fits()) return true;
    ++tally_.refused;
    // Of an adopted connection the gateway may not know the exact number; the next segment tells.
    const bool is_unknown =
        (track_.marks & TcpTrack::kAdopted) != 0 && (segment.flags & tcp_flag::kRst) != 0;
    if (is_useful && !is_unknown) ++tally_.refused_though_useful;
    return false;
  }
  bool Opens(FlowSide from, const TcpSegment& segment) {
    if (adopt_after_ == 0 && from == FlowSide::kInitiator) {
      track_ = OpenTrack(segment);
    } else if (adopt_after_ == 0) {
      return false;  // the responder of a simultaneous open waits until the initiator's SYN came
    } else if (tally_.segments >= adopt_after_ && CanAdopt(segment)) {
      track_ = AdoptTrack(from, segment);
    }
    return true;
  }

  Random random_;
  NetworkOptions network_;
  std::array<TcpEndpoint, 2> ends_;
  std::array<Cable, 2> before_, behind_;  // by sender: before and behind the gateway
  TcpTrack track_;
  size_t adopt_after_ = 0;
  Tally tally_;
};

TcpEndpointOptions RandomEnd(Random& random) {
  TcpEndpointOptions end;
  end.isn = Chance(random, 50) ? 0u - random() % 5000 : random();
  if (Chance(random, 60)) end.scale = static_cast<uint8_t>(random() % 9);
  end.buffer = 50 + random() % (Chance(random, 50) ? 2'000 : 200'000);
  if (end.scale != kNoWindowScale) end.buffer += 100u << end.scale;  // else a window is never open
  end.mss = 1 + random() % 1460;
  end.to_send = random() % 20 * end.mss;
  return end;
}

// Runs `prepare(random, initiator, responder)`-ed pairs and holds each of them to the two promises.
template <typename Prepare>
void HoldsForRandomPairs(int runs, Prepare prepare, bool adopts = false) {
  Tally sum;
  for (int run = 0; run < runs; ++run) {
    Random random(static_cast<uint32_t>(run));
    TcpEndpointOptions initiator = RandomEnd(random), responder = RandomEnd(random);
    initiator.opens = true;
    prepare(random, initiator, responder);
    Simulation simulation(random(), initiator, responder);
    if (adopts) simulation.AdoptAfter(4 + random() % 30);
    ASSERT_TRUE(simulation.Run()) << "run " << run;
    ASSERT_EQ(simulation.tally().refused_though_useful, 0u) << "run " << run;
    sum.segments += simulation.tally().segments;
    sum.refused += simulation.tally().refused;
  }
  EXPECT_LT(sum.refused, sum.segments / 100) << "late duplicates only, of " << sum.segments;
}

TEST(TcpSimulation, NoUsefulSegmentOfAnOrdinaryConnectionIsRefused) {
  // R072
  HoldsForRandomPairs(600, [](Random&, TcpEndpointOptions&, TcpEndpointOptions&) {});
}

TEST(TcpSimulation, NoUsefulSegmentOfAnAbortedConnectionIsRefused) {
  // R073
  HoldsForRandomPairs(600, [](Random& random, TcpEndpointOptions& a, TcpEndpointOptions& b) {
    (Chance(random, 50) ? a : b).aborts = true;
  });
}

TEST(TcpSimulation, NoUsefulSegmentOfASimultaneousOpenIsRefused) {
  // R070
  HoldsForRandomPairs(300, [](Random&, TcpEndpointOptions&, TcpEndpointOptions& responder) {
    responder.opens = true;
  });
}

TEST(TcpSimulation, NoUsefulSegmentOfASplitHandshakeIsRefused) {
  // R070
  HoldsForRandomPairs(300, [](Random&, TcpEndpointOptions&, TcpEndpointOptions& responder) {
    responder.splits = true;
  });
}

TEST(TcpSimulation, NoUsefulSegmentOfAFastOpenIsRefused) {
  // R077
  HoldsForRandomPairs(300, [](Random& random, TcpEndpointOptions& a, TcpEndpointOptions& b) {
    a.fast_open_bytes = static_cast<uint32_t>(std::min<int64_t>(a.to_send, random() % 1000));
    b.accepts_fast_open = Chance(random, 70);
  });
}

TEST(TcpSimulation, NoUsefulSegmentOfAnAdoptedConnectionIsRefused) {
  // R071
  const auto prepare = [](Random& random, TcpEndpointOptions& a, TcpEndpointOptions&) {
    a.aborts = Chance(random, 20);
  };
  HoldsForRandomPairs(600, prepare, true);
}

TEST(TcpSimulation, LongTransferAcrossTheWrapAroundIsUndisturbed) {
  // R072
  const TcpEndpointOptions sender{
      .opens = true, .isn = 0xffff0000, .scale = 3, .mss = 1460, .to_send = 2'000'000};
  const TcpEndpointOptions receiver{.isn = 0xfffffff0, .scale = 7, .buffer = 60'000};
  Simulation simulation(1, sender, receiver,
                        {.loss_percent = 0, .duplicate_percent = 0, .reorder = 1});
  ASSERT_TRUE(simulation.Run());
  EXPECT_EQ(simulation.tally().refused, 0u);
  EXPECT_EQ(simulation.end(1).received(), 2'000'002);
}

}  // namespace
}  // namespace cordon::dp
