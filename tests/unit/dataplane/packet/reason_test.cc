// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet/reason.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "dataplane/packet/packet.h"

namespace cordon::dp {
namespace {

TEST(Reason, NamesAreDistinctLowerCaseAndReadBack) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::string_view name = ToString(reason);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), name.npos) << name;
    EXPECT_EQ(ParseReason(name), reason);
    EXPECT_FALSE(HelpFor(reason).empty()) << name;
  }
}

TEST(Reason, UnknownNamesAndNumbersAreToldApart) {
  EXPECT_FALSE(ParseReason("no_such_reason"));
  EXPECT_FALSE(ParseReason(""));
  EXPECT_EQ(ToString(static_cast<Reason>(kReasonCount)), "invalid");
}

TEST(Verdict, HasThreeNames) {
  EXPECT_EQ(ToString(Verdict::kDrop), "drop");
  EXPECT_EQ(ToString(Verdict::kForward), "forward");
  EXPECT_EQ(ToString(Verdict::kAudit), "audit");
}

TEST(Side, HasTwoNames) {
  EXPECT_EQ(ToString(Side::kDevice), "device");
  EXPECT_EQ(ToString(Side::kNetwork), "network");
}

}  // namespace
}  // namespace cordon::dp
