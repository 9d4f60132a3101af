// SPDX-License-Identifier: Apache-2.0
// Rules in words, for diffs, effects, explanations and answers.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/policy/configuration.h"

namespace cordon::cp {

std::string Join(const std::vector<std::string>& words, std::string_view separator = ", ");
std::string JoinPorts(const std::vector<dp::PortRange>& ranges);  // "104, 11112"
// A bare address where the prefix is one address.
std::string DescribePrefix(const dp::IpPrefix& prefix);
std::string DescribeDuration(std::chrono::seconds duration);  // "90s", "5m", "24h"

const ProfileRule* FindRule(const Profile& profile, std::string_view id);

// Everything a rule says but its id and reason:
// "open tcp to pacs-archive ports 104, 11112, idle timeout 24h".
std::string DescribeRule(const ProfileRule& rule);
// What a device may do by the rule, behind "may": "open tcp to pacs-archive ports 104, 11112",
// "be reached by tcp from pacs-archive on ports 3010". `peers` is named in place of rule.peer.
std::string DescribeRight(const ProfileRule& rule, const std::string& peers);
// "deny tcp with any address ports 445".
std::string DescribeOverlayRule(const OverlayRule& rule);
// The guards of a pair, by field: "ethertypes" -> "eapol, lldp, stp".
std::map<std::string, std::string> DescribeGuards(const dp::GuardSpec& guards);
std::string DescribeMatch(const std::vector<ProfileMatch>& match);

}  // namespace cordon::cp
