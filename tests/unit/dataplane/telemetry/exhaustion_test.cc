// SPDX-License-Identifier: Apache-2.0
// Whatever can be full has a counter, an alert for it, and an answer that the README declares.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "dataplane/packet/reason.h"

namespace cordon::dp {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(std::string(CORDON_SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Exhaustion, EveryKindIsDeclaredAndHasAnAlert) {
  // R117
  const std::string alerts = Read("configs/prometheus/cordon-alerts.yml");
  const std::string readme = Read("dataplane/README.md");
  for (const Reason reason :
       {Reason::kFlowTableFull, Reason::kDeviceFlowQuota, Reason::kHalfOpenLimit,
        Reason::kDeviceNewFlowRate, Reason::kDevicePacketRate, Reason::kDeviceByteRate,
        Reason::kFragmentTableFull, Reason::kFragmentDeviceQuota}) {
    const std::string name(ToString(reason));
    EXPECT_NE(alerts.find(name), std::string::npos) << name << " has no alert";
    EXPECT_NE(readme.find("`" + name + "`"), std::string::npos) << name << " is not declared";
  }
  for (const std::string metric : {"cordon_event_lost_total", "cordon_transmit_failed_frames_total",
                                   "cordon_port_receive_no_buffer_total"}) {
    EXPECT_NE(alerts.find(metric), std::string::npos) << metric << " has no alert";
    EXPECT_NE(readme.find(metric), std::string::npos) << metric << " is not declared";
  }
}

}  // namespace
}  // namespace cordon::dp
