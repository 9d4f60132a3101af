// SPDX-License-Identifier: Apache-2.0
// What the store says of configurations and their ledger.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "controlplane/store/sqlite.h"
#include "tests/unit/controlplane/store/store_fixture.h"

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(SqliteStore, IsEmptyWhenNew) {
  const auto store = Open();
  EXPECT_EQ(*store->LatestGeneration(), 0u);
  EXPECT_EQ(*store->LoadConfiguration(), Configuration{});
  EXPECT_THAT(*store->ListGenerations(10), IsEmpty());
  EXPECT_THAT(*store->LoadGateways(), IsEmpty());
}

TEST(SqliteStore, GivesBackEveryFieldOfAConfiguration) {
  const auto store = Open();
  ASSERT_TRUE(store->Commit(FullConfiguration(), Record(1)).ok());
  EXPECT_EQ(*store->LoadConfiguration(), FullConfiguration());
  EXPECT_EQ(*store->LoadConfigurationAt(1), FullConfiguration());
}

TEST(SqliteStore, GivesBackEveryFieldOfTheLedger) {
  const auto store = Open();
  GenerationRecord record = Record(7);
  record.comment = "ticket \"42\"";
  record.gateways = {"g1", "g2"};
  record.changes = {{"Device", "a", ChangeType::kAdded, {}},
                    {"Peer", "b", ChangeType::kChanged, {"x -> y", ""}},
                    {"Profile", "c", ChangeType::kRemoved, {}}};
  ASSERT_TRUE(store->Commit({}, record).ok());
  const auto ledger = *store->ListGenerations(10);
  ASSERT_EQ(ledger.size(), 1u);
  EXPECT_EQ(ledger[0].generation, 7u);
  EXPECT_EQ(ledger[0].created, record.created);
  EXPECT_EQ(ledger[0].author, "local:root");
  EXPECT_EQ(ledger[0].origin, "apply");
  EXPECT_EQ(ledger[0].comment, record.comment);
  EXPECT_EQ(ledger[0].gateways, record.gateways);
  ASSERT_EQ(ledger[0].changes.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ledger[0].changes[i].kind, record.changes[i].kind);
    EXPECT_EQ(ledger[0].changes[i].name, record.changes[i].name);
    EXPECT_EQ(ledger[0].changes[i].type, record.changes[i].type);
    EXPECT_EQ(ledger[0].changes[i].details, record.changes[i].details);
  }
}

TEST(SqliteStore, ListsTheNewestGenerationsFirst) {
  const auto store = Open();
  for (uint64_t generation : {1, 2, 9}) {
    ASSERT_TRUE(store->Commit({}, Record(generation)).ok());
  }
  const auto ledger = *store->ListGenerations(2);
  ASSERT_EQ(ledger.size(), 2u);
  EXPECT_EQ(ledger[0].generation, 9u);
  EXPECT_EQ(ledger[1].generation, 2u);
  EXPECT_EQ(store->ListGenerations(SIZE_MAX)->size(), 3u);
}

TEST(SqliteStore, RefusesAGenerationThatDoesNotGrowAndKeepsItsState) {
  const auto store = Open();
  const Configuration first = WithDevices({NamedDevice("a")});
  ASSERT_TRUE(store->Commit(first, Record(5)).ok());
  for (uint64_t generation : {uint64_t{0}, uint64_t{4}, uint64_t{5}, UINT64_MAX}) {
    const absl::Status status = store->Commit({}, Record(generation));
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << generation;
  }
  EXPECT_EQ(*store->LatestGeneration(), 5u);
  EXPECT_EQ(*store->LoadConfiguration(), first);
}

TEST(SqliteStore, TakesBackACommitThatFailsHalfway) {
  const TemporaryDirectory directory;
  const auto store = Open(directory.File());
  const Configuration first = WithDevices({NamedDevice("a", "here"), NamedDevice("b")});
  ASSERT_TRUE(store->Commit(first, Record(1)).ok());
  auto database = Database::Open(directory.File());
  ASSERT_TRUE(database
                  ->Execute("CREATE TRIGGER fail BEFORE INSERT ON documents WHEN NEW.name = 'z'"
                            " BEGIN SELECT RAISE(ABORT, 'disk on fire'); END")
                  .ok());
  const Configuration second = WithDevices({NamedDevice("a", "there"), NamedDevice("z")});
  const absl::Status status = store->Commit(second, Record(2));
  EXPECT_THAT(std::string(status.message()), HasSubstr("disk on fire"));
  EXPECT_EQ(*store->LatestGeneration(), 1u);
  EXPECT_EQ(*store->LoadConfiguration(), first);
  ASSERT_TRUE(database->Execute("DROP TRIGGER fail").ok());
  EXPECT_TRUE(store->Commit(second, Record(2)).ok());
  EXPECT_EQ(*store->LoadConfiguration(), second);
}

TEST(SqliteStore, RefusesADocumentFiledUnderAnotherName) {
  const auto store = Open();
  Configuration configuration;
  configuration.devices["a"] = NamedDevice("b");
  EXPECT_EQ(store->Commit(configuration, Record(1)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*store->LatestGeneration(), 0u);
}

TEST(SqliteStore, KnowsNoGenerationThatWasNeverMade) {
  const auto store = Open();
  ASSERT_TRUE(store->Commit({}, Record(2)).ok());
  for (uint64_t generation : {uint64_t{0}, uint64_t{1}, uint64_t{3}, UINT64_MAX}) {
    const auto status = store->LoadConfigurationAt(generation).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << generation;
  }
}

// Adds, changes, removes and brings back documents at random.
TEST(SqliteStore, GivesBackEveryPastConfiguration) {
  const auto store = Open();
  std::mt19937 random(3);
  std::vector<Configuration> history = {{}};
  for (uint64_t generation = 1; generation <= 60; ++generation) {
    Configuration next = history.back();
    for (int change = 0; change < 5; ++change) {
      const std::string name = "d" + std::to_string(random() % 12);
      next.devices.erase(name);
      if (random() % 3 != 0) next.devices[name] = NamedDevice(name, std::to_string(random() % 3));
    }
    ASSERT_TRUE(store->Commit(next, Record(generation)).ok());
    history.push_back(next);
  }
  for (uint64_t generation = 1; generation <= 60; ++generation) {
    ASSERT_EQ(*store->LoadConfigurationAt(generation), history[generation]) << generation;
  }
  EXPECT_EQ(*store->LoadConfiguration(), history.back());
}

TEST(SqliteStore, WritesOnlyWhatChanged) {
  const TemporaryDirectory directory;
  const auto store = Open(directory.File());
  Configuration configuration;
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = "device-" + std::to_string(i);
    configuration.devices[name] = NamedDevice(name, "a ward with a long name, a room, a bed");
  }
  ASSERT_TRUE(store->Commit(configuration, Record(1)).ok());
  const auto log = directory.File("cordon.db-wal");
  const auto before =
      std::filesystem::file_size(log) + std::filesystem::file_size(directory.File());
  configuration.devices["device-77"].location = "elsewhere";
  ASSERT_TRUE(store->Commit(configuration, Record(2)).ok());
  const auto after = std::filesystem::file_size(log) + std::filesystem::file_size(directory.File());
  EXPECT_LT(after - before, 100'000u);
  EXPECT_EQ(*store->LoadConfiguration(), configuration);
}

TEST(SqliteStore, AnswersReadersWhileSomebodyCommits) {
  const auto store = Open();
  std::atomic<bool> done = false;
  std::atomic<int> faults = 0;
  const auto read = [&] {
    while (!done) {
      const auto configuration = store->LoadConfiguration();
      const auto latest = store->LatestGeneration();
      // Both devices always carry the number of their generation, never two numbers.
      if (!configuration.ok() || !latest.ok())
        ++faults;
      else if (!configuration->devices.empty() &&
               configuration->devices.at("a").location != configuration->devices.at("b").location)
        ++faults;
    }
  };
  std::thread first(read), second(read);
  for (uint64_t generation = 1; generation <= 200; ++generation) {
    const std::string number = std::to_string(generation);
    EXPECT_TRUE(store
                    ->Commit(WithDevices({NamedDevice("a", number), NamedDevice("b", number)}),
                             Record(generation))
                    .ok());
  }
  done = true;
  first.join();
  second.join();
  EXPECT_EQ(faults, 0);
}

TEST(SqliteStore, RemembersWhatAGatewayLastTold) {
  const auto store = Open();
  GatewayRecord record{"g2", 5, 4, Record(1).created, "0.1.0"};
  ASSERT_TRUE(store->SaveGateway(record).ok());
  ASSERT_TRUE(store->SaveGateway({"g1", 0, 0, {}, ""}).ok());
  record.enforced_generation = 5;
  ASSERT_TRUE(store->SaveGateway(record).ok());
  const auto gateways = *store->LoadGateways();
  ASSERT_EQ(gateways.size(), 2u);
  EXPECT_EQ(gateways[0].gateway, "g1");
  EXPECT_EQ(gateways[1].intended_generation, 5u);
  EXPECT_EQ(gateways[1].enforced_generation, 5u);
  EXPECT_EQ(gateways[1].last_seen, record.last_seen);
  EXPECT_EQ(gateways[1].software_version, "0.1.0");
}

TEST(SqliteStore, RefusesAGatewayGenerationItCannotKeep) {
  const auto store = Open();
  EXPECT_EQ(store->SaveGateway({"g", 1, UINT64_MAX, {}, ""}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(*store->LoadGateways(), IsEmpty());
}

}  // namespace
}  // namespace cordon::cp
