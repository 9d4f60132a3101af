// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "controlplane/documents/documents.h"
#include "controlplane/policy/assemble.h"

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReadDocumentFilesTest : public ::testing::Test {
 protected:
  ReadDocumentFilesTest() { std::filesystem::create_directories(directory_ / "sub"); }
  ~ReadDocumentFilesTest() override { std::filesystem::remove_all(directory_); }
  void Write(const std::string& name, const std::string& content) {
    std::ofstream(directory_ / name) << content;
  }
  std::vector<std::string> Read(const std::string& name) {
    std::vector<std::string> files;
    for (const DocumentSource& source : ReadDocumentFiles((directory_ / name).string(), faults_)) {
      files.push_back(std::filesystem::relative(source.file, directory_).string());
    }
    return files;
  }

  const std::filesystem::path directory_ =
      std::filesystem::path(::testing::TempDir()) /
      ("documents-" + std::to_string(::getpid()) + "-" +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::vector<InputFault> faults_;
};

TEST_F(ReadDocumentFilesTest, ReadsYamlFilesBelowADirectoryInOrder) {
  for (const char* name : {"b.yml", "a.yaml", "sub/c.yaml", "d.yaml.in", "e.csv"}) Write(name, "x");
  EXPECT_THAT(Read("."), ElementsAre("a.yaml", "b.yml", "sub/c.yaml"));
  EXPECT_THAT(faults_, IsEmpty());
}

TEST_F(ReadDocumentFilesTest, ReadsOneFileWhateverItsName) {
  Write("policy.txt", "kind: Peer");
  EXPECT_THAT(Read("policy.txt"), ElementsAre("policy.txt"));
}

TEST_F(ReadDocumentFilesTest, MissingFileIsAFault) {
  EXPECT_THAT(Read("missing.yaml"), IsEmpty());
  ASSERT_EQ(faults_.size(), 1u);
  EXPECT_THAT(faults_[0].place, HasSubstr("missing.yaml"));
  EXPECT_THAT(faults_[0].message, HasSubstr("No such file"));
}

TEST_F(ReadDocumentFilesTest, DirectoryWithoutDocumentsIsAFault) {
  EXPECT_THAT(Read("sub"), IsEmpty());
  EXPECT_EQ(faults_.size(), 1u);
}

// What ships must be what an administrator can apply.
TEST(ShippedProfiles, PassEveryCheckWithTheLabsPeers) {
  std::vector<InputFault> faults;
  const std::string root = CORDON_SOURCE_DIR "/configs/";
  std::vector<DocumentSource> sources = ReadDocumentFiles(root + "profiles", faults);
  for (DocumentSource& source : ReadDocumentFiles(root + "lab/policy", faults)) {
    sources.push_back(std::move(source));
  }
  const ParsedDocuments parsed = ParseDocuments(sources);
  faults.insert(faults.end(), parsed.faults.begin(), parsed.faults.end());
  const Checked checked = Check(Merge({}, parsed), parsed.places);
  faults.insert(faults.end(), checked.faults.begin(), checked.faults.end());
  for (const InputFault& fault : faults) ADD_FAILURE() << fault.place << ": " << fault.message;
  EXPECT_GE(parsed.profiles.size(), 8u);
}

TEST(ParseColumnMapping, ReadsTheLabsMapping) {
  std::vector<InputFault> faults;
  const auto sources =
      ReadDocumentFiles(CORDON_SOURCE_DIR "/configs/lab/inventory-mapping.yaml", faults);
  ASSERT_EQ(sources.size(), 1u);
  const ParsedMapping parsed = ParseColumnMapping(sources[0].file, sources[0].content);
  EXPECT_THAT(parsed.faults, IsEmpty());
  EXPECT_EQ(parsed.mapping.defaults.at("gateway"), "lab-gateway");
  EXPECT_EQ(parsed.mapping.class_names.at("Infusion Pump"), "infusion-pump");
}

TEST(ParseColumnMapping, NamesUnknownFieldsWithTheirLines) {
  const ParsedMapping parsed = ParseColumnMapping(
      "m.yaml", "columns:\n  macs: MAC\ndelimiter: ab\ndefaults: {mode: enforce}\n");
  ASSERT_EQ(parsed.faults.size(), 2u);
  EXPECT_THAT(parsed.faults[0].place, HasSubstr("m.yaml:2"));
  EXPECT_THAT(parsed.faults[1].place, HasSubstr("m.yaml:3: delimiter"));
}

TEST(ParseColumnMapping, OneTextOrAListNamesTheColumns) {
  const ParsedMapping parsed = ParseColumnMapping(
      "m.yaml", "columns: {mac: [MAC, Ethernet], ip: Address}\ndelimiter: tab\n");
  EXPECT_THAT(parsed.faults, IsEmpty());
  EXPECT_THAT(parsed.mapping.columns.at("mac"), ElementsAre("MAC", "Ethernet"));
  EXPECT_THAT(parsed.mapping.columns.at("ip"), ElementsAre("Address"));
  EXPECT_EQ(parsed.mapping.delimiter, '\t');
}

}  // namespace
}  // namespace cordon::cp
