// SPDX-License-Identifier: Apache-2.0
#include "dataplane/daemon/logging.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

namespace cordon::dp {
namespace {

TEST(ConfigureLogging, TakesKnownLevelsOnly) {
  EXPECT_TRUE(ConfigureLogging("warn"));
  EXPECT_EQ(spdlog::get_level(), spdlog::level::warn);
  EXPECT_FALSE(ConfigureLogging("loud"));
  EXPECT_EQ(spdlog::get_level(), spdlog::level::warn);
}

}  // namespace
}  // namespace cordon::dp
