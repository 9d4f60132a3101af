// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/controlplane/cli/temporary_directory.h"

namespace cordon::cp::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Names(const InputFiles& input) {
  std::vector<std::string> names;
  for (const InputFile& file : input.files) names.push_back(file.name);
  return names;
}

TEST(ReadDocuments, TakesYamlBelowADirectoryInOrderOfPath) {
  const TemporaryDirectory directory;
  const std::string b = directory.Write("b.yaml", "b");
  const std::string a = directory.Write("sub/a.yml", "a");
  directory.Write("README.md", "no document");
  std::istringstream in;
  const InputFiles input = ReadDocuments({directory.path()}, in);
  EXPECT_THAT(Names(input), ElementsAre(b, a));
  EXPECT_THAT(input.faults, ElementsAre());
}

TEST(ReadDocuments, ReadsStandardInputForADash) {
  std::istringstream in("kind: Peer\n");
  const InputFiles input = ReadDocuments({"-"}, in);
  ASSERT_THAT(Names(input), ElementsAre("standard input"));
  EXPECT_EQ(input.files[0].content, "kind: Peer\n");
}

TEST(ReadDocuments, NamesEveryFault) {
  const TemporaryDirectory directory;
  std::istringstream in;
  const InputFiles input = ReadDocuments({"/nonexistent.yaml", directory.path()}, in);
  EXPECT_THAT(input.faults, ElementsAre("/nonexistent.yaml: No such file or directory",
                                        directory.path() + ": no *.yaml or *.yml file below it"));
}

TEST(ReadDocuments, StopsAtWhatTheControllerTakes) {
  const TemporaryDirectory directory;
  const std::string half = directory.Write("half.yaml", std::string(kMaxInputBytes / 2 + 1, '#'));
  std::istringstream in;
  const InputFiles input = ReadDocuments({half, half}, in);
  ASSERT_EQ(input.faults.size(), 1u);
  EXPECT_THAT(input.faults[0], HasSubstr("more than 64 MiB"));
}

TEST(ReadFile, RefusesADirectory) {
  const TemporaryDirectory directory;
  EXPECT_THAT(ReadFile(directory.path()).faults, ElementsAre(HasSubstr("is a directory")));
}

}  // namespace
}  // namespace cordon::cp::cli
