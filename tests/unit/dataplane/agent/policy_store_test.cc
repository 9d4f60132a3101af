// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/policy_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/unit/dataplane/agent/agent_fixture.h"

namespace cordon::dp {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Source = PolicyStore::Source;

StoredPolicy Policy(uint64_t generation) {
  return {generation, std::chrono::system_clock::time_point(std::chrono::milliseconds(1234567)),
          "payload of " + std::to_string(generation)};
}

std::vector<Fault> AnythingGoes(const StoredPolicy&) { return {}; }

std::string Read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void Write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

class PolicyStoreTest : public ::testing::Test {
 protected:
  ScratchDirectory scratch_;
  PolicyStore store_{scratch_.path() / "state"};
};

TEST_F(PolicyStoreTest, HasNothingAtFirstWithoutAlarm) {
  const auto loaded = store_.Load(AnythingGoes);
  EXPECT_EQ(loaded.source, Source::kNone);
  EXPECT_THAT(loaded.alarms, IsEmpty());
}

TEST_F(PolicyStoreTest, LoadsWhatWasSavedLast) {
  ASSERT_EQ(store_.Save(Policy(1)), std::nullopt);
  ASSERT_EQ(store_.Save(Policy(2)), std::nullopt);
  const auto loaded = store_.Load(AnythingGoes);
  EXPECT_EQ(loaded.source, Source::kLast);
  EXPECT_EQ(loaded.policy.generation, 2u);
  EXPECT_EQ(loaded.policy.payload, "payload of 2");
  EXPECT_EQ(loaded.policy.received, Policy(2).received);
}

TEST_F(PolicyStoreTest, KeepsItsDirectoryAndFilesPrivate) {
  ASSERT_EQ(store_.Save(Policy(1)), std::nullopt);
  EXPECT_EQ(fs::status(store_.last_file()).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(fs::status(store_.last_file().parent_path()).permissions(), fs::perms::owner_all);
}

TEST_F(PolicyStoreTest, FallsBackToThePreviousPolicyAndKeepsTheCorruptFileAside) {
  store_.Save(Policy(1));
  store_.Save(Policy(2));
  Write(store_.last_file(), "garbage");
  const auto loaded = store_.Load(AnythingGoes);
  EXPECT_EQ(loaded.source, Source::kPrevious);
  EXPECT_EQ(loaded.policy.generation, 1u);
  EXPECT_THAT(loaded.alarms, ElementsAre(HasSubstr("stored policy is corrupt: ")));
  EXPECT_EQ(Read(store_.last_file().string() + ".corrupt"), "garbage");
  EXPECT_FALSE(fs::exists(store_.last_file()));
}

TEST_F(PolicyStoreTest, HasNothingAndSaysSoIfBothFilesAreCorrupt) {
  store_.Save(Policy(1));
  store_.Save(Policy(2));
  Write(store_.last_file(), "");
  Write(store_.previous_file(), "x");
  const auto loaded = store_.Load(AnythingGoes);
  EXPECT_EQ(loaded.source, Source::kNone);
  EXPECT_EQ(loaded.alarms.size(), 2u);
}

TEST_F(PolicyStoreTest, FallsBackIfTheLastPolicyCannotBeUsedHere) {
  store_.Save(Policy(1));
  store_.Save(Policy(2));
  const auto loaded = store_.Load([](const StoredPolicy& policy) {
    return policy.generation == 2 ? std::vector<Fault>{{"pairs[0]", "is not wired"}}
                                  : std::vector<Fault>{};
  });
  EXPECT_EQ(loaded.source, Source::kPrevious);
  EXPECT_THAT(loaded.alarms, ElementsAre(HasSubstr("pairs[0] is not wired")));
  EXPECT_TRUE(fs::exists(store_.last_file()));  // sound as a file: not set aside
}

// Whatever a crash or a bad disk does to the last file, what is loaded was stored.
TEST_F(PolicyStoreTest, NeverLoadsAPolicyThatWasNotStoredWhereverTheFileIsCutShort) {
  const std::string whole = EncodeStoredPolicy(Policy(2));
  for (size_t length = 0; length < whole.size(); ++length) {
    store_.Save(Policy(1));
    fs::rename(store_.last_file(), store_.previous_file());
    Write(store_.last_file(), whole.substr(0, length));
    const auto loaded = store_.Load(AnythingGoes);
    ASSERT_EQ(loaded.source, Source::kPrevious) << length;
    ASSERT_EQ(loaded.policy.payload, "payload of 1") << length;
  }
}

TEST(StoredPolicy, IsRefusedWhicheverBitIsFlipped) {
  const std::string whole = EncodeStoredPolicy(Policy(2));
  std::string error;
  ASSERT_TRUE(DecodeStoredPolicy(whole, error).has_value());
  for (size_t i = 0; i < whole.size() * 8; ++i) {
    std::string flipped = whole;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    ASSERT_FALSE(DecodeStoredPolicy(flipped, error).has_value()) << i;
  }
  EXPECT_FALSE(DecodeStoredPolicy(whole + "x", error).has_value());
}

// Save may be killed between any two of its steps: each state it passes through loads.
TEST_F(PolicyStoreTest, LoadsTheOldPolicyAfterACrashInAnyStepOfSave) {
  store_.Save(Policy(1));
  store_.Save(Policy(2));
  const fs::path state = store_.last_file().parent_path();
  const auto expect_last = [&](uint64_t generation) {
    EXPECT_EQ(store_.Load(AnythingGoes).policy.generation, generation);
  };
  Write(state / "policy.new", EncodeStoredPolicy(Policy(3)).substr(0, 20));
  expect_last(2);
  Write(state / "policy.new", EncodeStoredPolicy(Policy(3)));
  expect_last(2);
  fs::create_hard_link(store_.last_file(), state / "policy.link");
  expect_last(2);
  fs::rename(state / "policy.link", store_.previous_file());
  expect_last(2);
  EXPECT_EQ(store_.Save(Policy(4)), std::nullopt);
  expect_last(4);
}

TEST_F(PolicyStoreTest, SaysWhatWentWrongWhenItCannotSave) {
  Write(scratch_.path() / "state", "a file where the directory should be");
  const auto fault = store_.Save(Policy(1));
  ASSERT_TRUE(fault.has_value());
  EXPECT_THAT(*fault, HasSubstr("state"));
}

}  // namespace
}  // namespace cordon::dp
