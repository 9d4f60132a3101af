// SPDX-License-Identifier: Apache-2.0
#include "controlplane/profile/covered.h"

#include <gtest/gtest.h>

#include <utility>

namespace cordon::cp {
namespace {

ProfileRule Rule(std::string id, std::vector<std::string> peer,
                 std::vector<dp::PortRange> ports = {}) {
  ProfileRule rule;
  rule.id = std::move(id);
  rule.peer = std::move(peer);
  rule.peer_ports = std::move(ports);
  return rule;
}

bool IsCovered(const ProfileRule& earlier, const ProfileRule& later) {
  Profile profile;
  profile.rules = {earlier, later};
  return FindCovering(profile, 1) != nullptr;
}

// R106
TEST(FindCovering, FindsARuleThatAllowsAllThatALaterOneAllows) {
  EXPECT_TRUE(IsCovered(Rule("a", {"any"}), Rule("b", {"archive"}, {{104, 104}})));
  EXPECT_TRUE(
      IsCovered(Rule("a", {"10.0.0.0/8"}, {{1, 1023}}), Rule("b", {"10.1.0.0/16"}, {{104, 104}})));
  EXPECT_TRUE(IsCovered(Rule("a", {"archive", "mirror"}), Rule("b", {"archive"})));
}

TEST(FindCovering, LeavesARuleAloneThatAllowsAnythingMore) {
  EXPECT_FALSE(IsCovered(Rule("a", {"archive"}), Rule("b", {"archive", "mirror"})));
  EXPECT_FALSE(IsCovered(Rule("a", {"any"}, {{104, 104}}), Rule("b", {"any"})));
  EXPECT_FALSE(IsCovered(Rule("a", {"10.1.0.0/16"}), Rule("b", {"10.0.0.0/8"})));
  EXPECT_FALSE(IsCovered(Rule("a", {"10.0.0.0/8"}), Rule("b", {"fd00::/8"})));
}

TEST(FindCovering, ComparesInitiatorProtocolVlanAndQuarantine) {
  const ProfileRule earlier = Rule("a", {"any"});
  ProfileRule later = Rule("b", {"any"});
  later.initiator = RuleInitiator::kPeer;
  EXPECT_FALSE(IsCovered(earlier, later));
  later = Rule("b", {"any"});
  later.protocol = RuleProtocol::kUdp;
  EXPECT_FALSE(IsCovered(earlier, later));
  later = Rule("b", {"any"});
  later.keep_alive = true;
  EXPECT_FALSE(IsCovered(earlier, later));
  ProfileRule of_vlan = earlier;
  of_vlan.vlan = dp::VlanTags{30, 0};
  EXPECT_FALSE(IsCovered(of_vlan, Rule("b", {"any"})));
}

}  // namespace
}  // namespace cordon::cp
