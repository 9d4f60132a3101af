// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/gateway_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/dataplane/agent/agent_fixture.h"

namespace cordon::dp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GatewayMetricsTest : public ::testing::Test {
 protected:
  std::string Render() { return GatewayMetrics(runtime_, state_, reporter_).Render(); }

  TestGateway gateway_{2};
  GatewayRuntime runtime_ = gateway_.Runtime();
  AgentState state_;
  FlowReporter reporter_{runtime_, ReporterOptions{}};
};

TEST_F(GatewayMetricsTest, AddsUpTheWorkersFrames) {
  for (size_t worker = 0; worker < 2; ++worker) {
    gateway_.counters(worker).pairs[0].frames[0][0].Add(21);
    gateway_.counters(worker).reasons[0][static_cast<size_t>(Reason::kNoRule)].Add(20);
  }
  const std::string text = Render();
  EXPECT_THAT(
      text,
      HasSubstr("\ncordon_frames_total{pair=\"ward\",side=\"device\",verdict=\"drop\"} 42\n"));
  EXPECT_THAT(text, HasSubstr("\ncordon_dropped_frames_total{reason=\"no_rule\"} 40\n"));
}

TEST_F(GatewayMetricsTest, ListsEveryReasonAlsoWithoutFrames) {
  const std::string text = Render();
  for (size_t i = 0; i < kReasonCount; ++i) {
    const std::string name(ToString(static_cast<Reason>(i)));
    EXPECT_THAT(text, HasSubstr("_frames_total{reason=\"" + name + "\"} 0\n"));
  }
}

TEST_F(GatewayMetricsTest, ShowsTheShareOfTimeTheWorkerWasBusy) {
  gateway_.counters(1).busy_cycles.Set(250);
  gateway_.counters(1).total_cycles.Set(1000);
  EXPECT_THAT(Render(), HasSubstr("\ncordon_worker_busy_ratio{worker=\"1\"} 0.25\n"));
}

TEST_F(GatewayMetricsTest, NamesNoDeviceAndNoAddress) {
  FlowEvent event;
  event.reason = Reason::kUnknownDevice;
  event.device_mac = {0x020000001001};
  gateway_.ring(0).Push(event);
  reporter_.Drain();
  const std::string text = Render();
  EXPECT_THAT(text, HasSubstr("\ncordon_unknown_devices 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("02:00:00")));
}

TEST_F(GatewayMetricsTest, PassesPromtool) {
  const ScratchDirectory scratch;
  const std::string file = (scratch.path() / "metrics").string();
  std::ofstream(file) << Render();
  if (std::system("command -v promtool > /dev/null") != 0) GTEST_SKIP() << "no promtool here";
  EXPECT_EQ(std::system(("promtool check metrics < " + file).c_str()), 0);
}

}  // namespace
}  // namespace cordon::dp
