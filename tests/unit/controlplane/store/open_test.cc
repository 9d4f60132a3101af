// SPDX-License-Identifier: Apache-2.0
// What OpenSqliteStore makes of files: good, old, new, foreign, damaged and unreachable ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "controlplane/store/sqlite.h"
#include "tests/unit/controlplane/store/store_fixture.h"

namespace cordon::cp {
namespace {

using ::testing::HasSubstr;

absl::Status OpenStatus(const std::string& path) {
  SqliteOptions options;
  options.path = path;
  return OpenSqliteStore(options).status();
}

void Execute(const std::string& path, const char* sql) {
  auto database = Database::Open(path);
  ASSERT_TRUE(database.ok()) << database.status();
  ASSERT_TRUE(database->Execute(sql).ok());
}

void ExpectStatus(const absl::Status& status, absl::StatusCode code, const std::string& text) {
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

Configuration Numbered(uint64_t generation) {
  return WithDevices(
      {NamedDevice("a", std::to_string(generation)), NamedDevice("b", std::to_string(generation))});
}

TEST(OpenSqliteStore, FindsWhatWasCommittedBefore) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(Open(directory.File())->Commit(FullConfiguration(), Record(3)).ok());
  const auto store = Open(directory.File());
  EXPECT_EQ(*store->LatestGeneration(), 3u);
  EXPECT_EQ(*store->LoadConfiguration(), FullConfiguration());
}

TEST(OpenSqliteStore, KeepsTheFileToItsOwner) {
  const TemporaryDirectory directory;
  const auto store = Open(directory.File());
  ASSERT_TRUE(store->Commit({}, Record(1)).ok());
  for (const char* name : {"cordon.db", "cordon.db-wal", "cordon.db-shm"}) {
    struct stat status {};
    ASSERT_EQ(::stat(directory.File(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
}

// The files as a power cut could leave them: the log ends anywhere.
TEST(OpenSqliteStore, SurvivesALogThatEndsAnywhere) {
  const TemporaryDirectory directory;
  const auto store = Open(directory.File());
  for (uint64_t generation = 1; generation <= 8; ++generation) {
    ASSERT_TRUE(store->Commit(Numbered(generation), Record(generation)).ok());
  }
  const auto size = std::filesystem::file_size(directory.File("cordon.db-wal"));
  uint64_t newest = 0;
  for (int part = 0; part <= 40; ++part) {
    const std::string copy = directory.File("copy-" + std::to_string(part));
    std::filesystem::copy_file(directory.File(), copy);
    std::filesystem::copy_file(directory.File("cordon.db-wal"), copy + "-wal");
    std::filesystem::resize_file(copy + "-wal", size * static_cast<unsigned>(part) / 40);
    const auto reopened = Open(copy);
    ASSERT_NE(reopened, nullptr);
    const uint64_t latest = *reopened->LatestGeneration();
    ASSERT_GE(latest, newest);
    ASSERT_EQ(*reopened->LoadConfiguration(), latest == 0 ? Configuration{} : Numbered(latest));
    newest = latest;
  }
  EXPECT_EQ(newest, 8u);
}

TEST(OpenSqliteStore, ReportsAFileThatIsNoDatabase) {
  const TemporaryDirectory directory;
  std::ofstream(directory.File()) << std::string(8192, 'x');
  ExpectStatus(OpenStatus(directory.File()), absl::StatusCode::kDataLoss, "not a database");
}

TEST(OpenSqliteStore, ReportsADamagedFile) {
  const TemporaryDirectory directory;
  Configuration many;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "d" + std::to_string(i);
    many.devices[name] = NamedDevice(name);
  }
  ASSERT_TRUE(Open(directory.File())->Commit(many, Record(1)).ok());
  const auto size = std::filesystem::file_size(directory.File());
  {
    std::fstream file(directory.File(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size / 2));
    file << std::string(16'384, '\x5a');
  }
  ExpectStatus(OpenStatus(directory.File()), absl::StatusCode::kDataLoss, directory.File());
}

TEST(OpenSqliteStore, ReportsATruncatedFile) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(Open(directory.File())->Commit(FullConfiguration(), Record(1)).ok());
  std::filesystem::resize_file(directory.File(), 8192);
  EXPECT_EQ(OpenStatus(directory.File()).code(), absl::StatusCode::kDataLoss);
}

TEST(OpenSqliteStore, ReportsARowThatCannotBeReadBack) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(Open(directory.File())->Commit(FullConfiguration(), Record(1)).ok());
  for (const char* body : {"", "{", "[]", "{\"mode\":\"fast\"}", "{\"mode\":\"audit\",\"macs\":1}",
                           "{\"mode\":\"audit\",\"vlan\":[1,70000]}"}) {
    const std::string sql =
        "UPDATE documents SET body = '" + std::string(body) + "' WHERE name = 'ct-2'";
    Execute(directory.File(), sql.c_str());
    ExpectStatus(Open(directory.File())->LoadConfiguration().status(), absl::StatusCode::kDataLoss,
                 "Device ct-2");
  }
}

TEST(OpenSqliteStore, RefusesAFileOfANewerCordonAndLeavesItAlone) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(Open(directory.File())->Commit({}, Record(1)).ok());
  Execute(directory.File(), "PRAGMA user_version = 99");
  ExpectStatus(OpenStatus(directory.File()), absl::StatusCode::kFailedPrecondition,
               "written by a newer Cordon (schema 99");
  Execute(directory.File(), "PRAGMA user_version = 1");
  EXPECT_EQ(*Open(directory.File())->LatestGeneration(), 1u);
}

TEST(OpenSqliteStore, RefusesTheDatabaseOfAnotherProgram) {
  const TemporaryDirectory directory;
  Execute(directory.File(), "CREATE TABLE albums (title TEXT)");
  ExpectStatus(OpenStatus(directory.File()), absl::StatusCode::kFailedPrecondition,
               "belongs to another program");
}

TEST(OpenSqliteStore, SaysWhichPathItCannotWrite) {
  const TemporaryDirectory directory;
  for (const std::string& path :
       {directory.File("absent/cordon.db"), std::string("/proc/cordon.db"), directory.File("")}) {
    ExpectStatus(OpenStatus(path), absl::StatusCode::kFailedPrecondition, path);
  }
  ExpectStatus(OpenStatus(""), absl::StatusCode::kInvalidArgument, "path is empty");
}

// In a process of its own, which may give up root: root could write everywhere.
TEST(OpenSqliteStore, SaysThatADirectoryIsReadOnly) {
  const TemporaryDirectory directory;
  const auto parent = std::filesystem::path(directory.File()).parent_path();
  constexpr auto kReadOnly =
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec |
      std::filesystem::perms::others_read | std::filesystem::perms::others_exec;
  std::filesystem::permissions(parent, kReadOnly);
  const auto open_as_nobody = [&] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    const absl::Status status = OpenStatus(directory.File());
    std::cerr << status;
    ::_exit(status.code() == absl::StatusCode::kFailedPrecondition ? 0 : 1);
  };
  EXPECT_EXIT(open_as_nobody(), testing::ExitedWithCode(0), "cordon.db: .*Permission denied");
  std::filesystem::permissions(parent, std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace cordon::cp
