// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet/check.h"

#include <gtest/gtest.h>

#include <set>

namespace cordon::dp {
namespace {

TEST(Check, NamesAndReasonsAreDistinctAndReadBack) {
  std::set<std::string_view> names;
  std::set<Reason> reasons;
  for (size_t i = 0; i < kCheckCount; ++i) {
    const auto check = static_cast<Check>(i);
    EXPECT_TRUE(names.insert(ToString(check)).second) << ToString(check);
    EXPECT_TRUE(reasons.insert(ReasonOf(MaskOf(check))).second) << ToString(check);
    EXPECT_EQ(ParseCheck(ToString(check)), check);
    EXPECT_FALSE(HelpFor(check).empty());
  }
  EXPECT_FALSE(ParseCheck("no_such_check"));
}

TEST(Check, FirstFailedOneNamesTheReason) {
  EXPECT_EQ(ReasonOf(MaskOf(Check::kTcpMss) | MaskOf(Check::kIpv4LinkLocal)),
            Reason::kIpv4LinkLocal);
  EXPECT_EQ(ReasonOf(0), Reason::kUndecided);
}

TEST(Protection, StricterLevelsRefuseMore) {
  EXPECT_EQ(ChecksOf(Protection::kOff), 0u);
  EXPECT_EQ(ChecksOf(Protection::kStandard) & ~ChecksOf(Protection::kStrict), 0u);
  EXPECT_NE(ChecksOf(Protection::kStandard) & MaskOf(Check::kL4Checksum), 0u);
  EXPECT_EQ(ChecksOf(Protection::kStandard) & MaskOf(Check::kTcpUrgent), 0u);
  EXPECT_NE(ChecksOf(Protection::kStrict) & MaskOf(Check::kTcpUrgent), 0u);
  EXPECT_EQ(ChecksOf(Protection::kStrict) & MaskOf(Check::kIpv6), 0u);
}

TEST(Protection, NamesReadBack) {
  for (const char* name : {"off", "standard", "strict"}) {
    EXPECT_EQ(ToString(ParseProtection(name).value()), name);
  }
  EXPECT_FALSE(ParseProtection("paranoid"));
}

}  // namespace
}  // namespace cordon::dp
