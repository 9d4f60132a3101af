// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/flow_mailbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace cordon::dp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Entry i is flow i; odd ones are not in use.
bool EvenOnes(uint32_t i, FlowEvent& event) {
  event.device = i;
  return i % 2 == 0;
}
std::vector<uint32_t> TakeAll(FlowMailbox& mailbox) {
  std::vector<uint32_t> flows;
  for (FlowEvent event; mailbox.Take(event);) flows.push_back(event.device);
  return flows;
}

TEST(FlowMailbox, IsQuietUntilSomebodyAsks) {
  FlowMailbox mailbox;
  EXPECT_FALSE(mailbox.HasQuestion());
  mailbox.Ask();
  EXPECT_TRUE(mailbox.HasQuestion());
  EXPECT_FALSE(mailbox.done());
}

TEST(FlowMailbox, TellsEachEntryInUseOnce) {
  FlowMailbox mailbox;
  mailbox.Ask();
  mailbox.Answer(7, EvenOnes);
  EXPECT_FALSE(mailbox.HasQuestion());
  EXPECT_THAT(TakeAll(mailbox), ElementsAre(0u, 2u, 4u, 6u));
  EXPECT_TRUE(mailbox.done());
}

TEST(FlowMailbox, LooksAtABoundedNumberOfEntriesACall) {
  FlowMailbox mailbox;
  mailbox.Ask();
  mailbox.Answer(1000, EvenOnes);
  EXPECT_THAT(TakeAll(mailbox), SizeIs(FlowMailbox::kAtOnce / 2));
  EXPECT_TRUE(mailbox.HasQuestion());
}

TEST(FlowMailbox, WaitsForNobodyAndLosesNothingWhenItIsFull) {
  FlowMailbox mailbox(4);
  mailbox.Ask();
  std::vector<uint32_t> all;
  for (int i = 0; i < 100 && !mailbox.done(); ++i) {
    mailbox.Answer(20, EvenOnes);
    for (const uint32_t flow : TakeAll(mailbox)) all.push_back(flow);
  }
  EXPECT_THAT(all, ElementsAre(0u, 2u, 4u, 6u, 8u, 10u, 12u, 14u, 16u, 18u));
}

TEST(FlowMailbox, DropsWhatIsLeftOfAnEarlierQuestion) {
  FlowMailbox mailbox;
  mailbox.Ask();
  mailbox.Answer(4, EvenOnes);
  mailbox.Ask();
  EXPECT_THAT(TakeAll(mailbox), IsEmpty());
  EXPECT_FALSE(mailbox.done());
  mailbox.Answer(2, EvenOnes);
  EXPECT_THAT(TakeAll(mailbox), ElementsAre(0u));
  EXPECT_TRUE(mailbox.done());
}

TEST(FlowMailbox, StopsWhenTheQuestionIsTakenBack) {
  FlowMailbox mailbox;
  mailbox.Ask();
  mailbox.Answer(1000, EvenOnes);
  mailbox.Cancel();
  mailbox.Answer(1000, EvenOnes);
  EXPECT_FALSE(mailbox.HasQuestion());
}

TEST(FlowMailbox, AnswersAnAskerOnAnotherThread) {
  FlowMailbox mailbox(8);
  std::atomic<bool> stop{false};
  std::thread worker([&] {
    while (!stop) {
      if (mailbox.HasQuestion()) mailbox.Answer(500, EvenOnes);
    }
  });
  for (int round = 0; round < 20; ++round) {
    mailbox.Ask();
    size_t flows = 0;
    while (!mailbox.done()) flows += TakeAll(mailbox).size();
    EXPECT_EQ(flows, 250u);
  }
  stop = true;
  worker.join();
}

}  // namespace
}  // namespace cordon::dp
