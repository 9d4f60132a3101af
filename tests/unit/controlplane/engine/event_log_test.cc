// SPDX-License-Identifier: Apache-2.0
#include "controlplane/engine/event_log.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace cordon::cp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

FlowRecord Event(uint16_t peer_port, const std::string& device = "ct-2") {
  FlowRecord record;
  record.device = device;
  record.peer_port = peer_port;
  return record;
}

std::vector<uint16_t> PortsOf(const std::vector<FlowRecordPtr>& records) {
  std::vector<uint16_t> ports;
  for (const auto& record : records) ports.push_back(record->peer_port);
  return ports;
}

std::shared_ptr<Waker> Deaf() {
  return std::make_shared<Waker>([] {});
}

TEST(EventLog, ForgetsTheOldestBeyondItsBound) {
  EventLog log({.remembered = 2});
  log.Append({Event(1), Event(2), Event(3)});
  EXPECT_THAT(PortsOf(log.Remembered({}, 10)), ElementsAre(2, 3));
}

TEST(EventLog, RemembersTheNewestThatMatchOldestFirst) {
  EventLog log;
  log.Append({Event(1), Event(2, "pump-1"), Event(3), Event(4)});
  EXPECT_THAT(PortsOf(log.Remembered({.device = "ct-2", .gateway = ""}, 2)), ElementsAre(3, 4));
}

TEST(EventLog, SlowReaderLosesTheOldestAndIsToldHowMany) {
  EventLog log({.queue = 2});
  const auto reader = log.Subscribe({}, 0, Deaf());
  log.Append({Event(1), Event(2), Event(3), Event(4), Event(5)});
  const auto batch = reader->Take(10);
  EXPECT_THAT(PortsOf(batch.records), ElementsAre(4, 5));
  EXPECT_EQ(batch.lost, 3);
  EXPECT_EQ(log.dropped(), 3);
  EXPECT_TRUE(reader->Take(10).empty());
}

TEST(EventLog, SlowReaderCostsTheOthersNothing) {
  EventLog log({.queue = 2});
  const auto slow = log.Subscribe({}, 0, Deaf());
  const auto quick = log.Subscribe({}, 0, Deaf());
  log.Append({Event(1), Event(2)});
  EXPECT_THAT(quick->Take(10).records, SizeIs(2));
  log.Append({Event(3), Event(4)});
  EXPECT_EQ(quick->Take(10).lost, 0);
}

TEST(EventLog, ReaderStartsWithWhatIsRememberedWithoutGapOrRepeat) {
  EventLog log;
  log.Append({Event(1), Event(2)});
  const auto reader = log.Subscribe({}, 1, Deaf());
  log.Append({Event(3)});
  EXPECT_THAT(PortsOf(reader->Take(10).records), ElementsAre(2, 3));
}

TEST(EventLog, WakesAReaderOnlyForWhatMatches) {
  EventLog log;
  int wakes = 0;
  const auto reader = log.Subscribe({.device = "ct-2", .gateway = ""}, 0,
                                    std::make_shared<Waker>([&] { ++wakes; }));
  log.Append({Event(1, "pump-1")});
  EXPECT_EQ(wakes, 0);
  log.Append({Event(2)});
  EXPECT_EQ(wakes, 1);
}

TEST(EventLog, HasRoomAgainWhenAReaderGoes) {
  EventLog log({.readers = 1});
  auto reader = log.Subscribe({}, 0, Deaf());
  EXPECT_EQ(log.Subscribe({}, 0, Deaf()), nullptr);
  reader = nullptr;
  EXPECT_NE(log.Subscribe({}, 0, Deaf()), nullptr);
}

}  // namespace
}  // namespace cordon::cp
