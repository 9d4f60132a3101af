// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/link_propagation.h"

#include <gtest/gtest.h>

#include <random>

namespace cordon::dp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Action = LinkPropagation::Action;

constexpr LinkPropagation::TimePoint kStart{};

// A pair whose ports obey, with cables that a test plugs.
class Ward {
 public:
  LinkPropagation propagation{kStart};
  std::array<bool, kSideCount> cable{true, true};

  Action Look() {
    now_ += milliseconds(20);
    const auto held = propagation.held_down();
    std::array<bool, kSideCount> up = cable;
    if (held) up[static_cast<size_t>(*held)] = false;
    return propagation.Next(up, now_).action;
  }
  void Wait(seconds time) { now_ += time; }

 private:
  LinkPropagation::TimePoint now_ = kStart;
};

TEST(LinkPropagation, TakesTheOtherPortDownAtOnceAndBringsItUpAgain) {
  Ward ward;
  EXPECT_EQ(ward.Look(), Action::kNone);
  ward.cable[0] = false;
  EXPECT_EQ(ward.Look(), Action::kTakeDown);
  EXPECT_EQ(ward.propagation.held_down(), Side::kNetwork);
  EXPECT_EQ(ward.Look(), Action::kNone);
  ward.cable[0] = true;
  EXPECT_EQ(ward.Look(), Action::kBringUp);
  EXPECT_EQ(ward.propagation.held_down(), std::nullopt);
}

TEST(LinkPropagation, PortsThatNegotiateAtTheStartTakeNothingDown) {
  Ward ward;
  ward.cable[1] = false;
  EXPECT_EQ(ward.Look(), Action::kNone);
  ward.Wait(LinkPropagation::kSettle);
  EXPECT_EQ(ward.Look(), Action::kTakeDown);
  EXPECT_EQ(ward.propagation.held_down(), Side::kDevice);
}

TEST(LinkPropagation, PortThatWasBroughtUpHasTimeToFindItsLink) {
  Ward ward;
  ward.Look();
  ward.cable[0] = false;
  ward.Look();
  ward.cable = {true, false};
  EXPECT_EQ(ward.Look(), Action::kBringUp);
  EXPECT_EQ(ward.Look(), Action::kNone);
  ward.Wait(LinkPropagation::kSettle);
  EXPECT_EQ(ward.Look(), Action::kTakeDown);
  EXPECT_EQ(ward.propagation.held_down(), Side::kDevice);
}

TEST(LinkPropagation, PairWithoutAnyLinkWaits) {
  Ward ward;
  ward.Wait(LinkPropagation::kSettle);
  ward.cable = {false, false};
  EXPECT_EQ(ward.Look(), Action::kNone);
}

TEST(LinkPropagation, AnyFlappingEndsWithBothPortsUp) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    Ward ward;
    for (int i = 0; i < 50; ++i) {
      ward.cable = {random() % 2 == 0, random() % 2 == 0};
      if (random() % 8 == 0) ward.Wait(seconds(random() % 9));
      ward.Look();
    }
    ward.cable = {true, true};
    for (int i = 0; i < 3; ++i) ward.Look();
    EXPECT_EQ(ward.propagation.held_down(), std::nullopt);
  }
}

}  // namespace
}  // namespace cordon::dp
