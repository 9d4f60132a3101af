// SPDX-License-Identifier: Apache-2.0
// Ten thousand policies while frames are decided. Policy N allows the ports of class N % 2 and
// nothing else, and its number is the idle timeout of its rules, which every verdict carries.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

constexpr uint64_t kSwaps = 10'000;
constexpr std::array<uint16_t, 2> kFirstPort = {5000, 6000};
const Station kPump = {Mac("02:00:00:00:01:21"), Ip("10.20.1.21"), {}};

PolicySpec PolicyOfGeneration(uint64_t generation) {
  const uint16_t first = kFirstPort[generation % 2];
  return Policy()
      .Generation(generation)
      .Rules({Allow(Initiator::kDevice, RuleProtocol::kUdp, "10.20.0.20/32")
                  .PeerPort(first, static_cast<uint16_t>(first + 99))
                  .IdleTimeout(std::chrono::seconds(generation))})
      .Device("pump", kPump);
}

// Looks at one burst of both classes: exactly one of them passes, all under one generation.
class Checker {
 public:
  // `earliest`: enforced before the burst began; `latest`: published when it was over.
  void Check(const std::vector<Decision>& decisions, uint64_t earliest, uint64_t latest) {
    uint64_t generation = 0;
    for (size_t i = 0; i < decisions.size(); ++i) {
      if (decisions[i].verdict != Verdict::kForward) continue;
      if (generation == 0) generation = decisions[i].idle_timeout_seconds;
      mixed_ += decisions[i].idle_timeout_seconds != generation ? 1 : 0;
    }
    for (size_t i = 0; i < decisions.size(); ++i) {
      const bool allowed = generation % 2 == i % 2;
      misjudged_ += (decisions[i].verdict == Verdict::kForward) != allowed ? 1 : 0;
    }
    outdated_ += generation < earliest || generation > latest || generation < last_ ? 1 : 0;
    seen_ += generation != last_ ? 1 : 0;
    last_ = generation;
    frames_ += decisions.size();
  }
  void Expect() const {
    EXPECT_EQ(mixed_, 0u) << "frames of one burst under two policies";
    EXPECT_EQ(misjudged_, 0u) << "frames that their own policy would have decided otherwise";
    EXPECT_EQ(outdated_, 0u) << "bursts under a policy that was replaced, or not published yet";
    EXPECT_GE(seen_, kSwaps / 2) << "of " << frames_ << " frames";
  }

 private:
  uint64_t mixed_ = 0, misjudged_ = 0, outdated_ = 0, seen_ = 0, frames_ = 0, last_ = 0;
};

FrameBuilder FrameOfClass(size_t which, uint16_t number) {
  return FrameBuilder()
      .FromDevice(kPump)
      .To("10.20.0.20")
      .Udp(static_cast<uint16_t>(30000 + number), static_cast<uint16_t>(kFirstPort[which] + 7));
}

// Frames of class 0 and 1 in turn: known flows, which are stale after each swap, and new ones.
std::vector<Bytes> MixedBurst(uint16_t round) {
  std::vector<Bytes> frames;
  for (size_t i = 0; i < kMaxBurst; ++i) {
    const uint16_t known = static_cast<uint16_t>(i / 2);
    const uint16_t fresh = static_cast<uint16_t>(100 + round);
    frames.push_back(FrameOfClass(i % 2, i < 24 ? known : fresh).Build());
  }
  return frames;
}

std::vector<Bytes> Answers(const std::vector<Bytes>& asked) {
  std::vector<Bytes> answers;
  for (size_t i = 0; i < asked.size(); ++i) {
    answers.push_back(FrameOfClass(i % 2, static_cast<uint16_t>(i / 2)).Reversed().Build());
  }
  return answers;
}

// R104, R085: each frame sees wholly the old or wholly the new policy
TEST(PolicySwap, DecidesEveryFrameUnderOneGenerationWhileTenThousandAreSwapped) {
  TestGateway gateway({}, 16384);
  std::atomic<uint64_t> published{1}, enforced{1};
  std::atomic<bool> done{false};
  gateway.Enforce(PolicyOfGeneration(1));
  std::thread publisher([&] {
    for (uint64_t generation = 2; generation <= kSwaps; ++generation) {
      published.store(generation);
      const uint32_t stamp = gateway.Enforce(PolicyOfGeneration(generation));
      while (!gateway.slot().IsEnforced(stamp))
        std::this_thread::sleep_for(std::chrono::microseconds(1));
      enforced.store(generation);
    }
    done.store(true);
  });
  std::vector<std::vector<Bytes>> bursts;
  for (uint16_t round = 0; round < 64; ++round) bursts.push_back(MixedBurst(round));
  Checker checker;
  for (size_t round = 0; !done.load(); ++round) {
    const uint64_t earliest = enforced.load();
    const std::vector<Decision> decisions =
        gateway.SendBurst(Side::kDevice, bursts[round % bursts.size()]);
    checker.Check(decisions, earliest, published.load());
  }
  publisher.join();
  checker.Expect();
}

// R085: what one generation allowed, and its answers, ends with the next
TEST(PolicySwap, CutsAnswersOfFlowsThatTheNewGenerationDoesNotAllow) {
  TestGateway gateway;
  for (uint64_t generation = 1; generation <= 100; ++generation) {
    gateway.Enforce(PolicyOfGeneration(generation));
    std::vector<Bytes> frames = MixedBurst(0);
    frames.resize(24);
    gateway.SendBurst(Side::kDevice, frames);
    gateway.Enforce(PolicyOfGeneration(generation + 1));
    for (const Decision& decision : gateway.SendBurst(Side::kNetwork, Answers(frames))) {
      EXPECT_EQ(decision.verdict, Verdict::kDrop);
    }
  }
}

}  // namespace
}  // namespace cordon::dp::testing
