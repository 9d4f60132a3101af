// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "controlplane/profile/profile.h"

namespace cordon::cp {
namespace {

Device Ct(std::string vendor = "Example Imaging", std::string model = "Scan 9") {
  Device device;
  device.name = "ct-2";
  device.device_class = "ct";
  device.vendor = std::move(vendor);
  device.model = std::move(model);
  return device;
}

Profile Matching(std::string name, ProfileMatch match) {
  Profile profile;
  profile.name = std::move(name);
  profile.match = {std::move(match)};
  return profile;
}

std::string Assigned(const Device& device, const std::vector<Profile>& profiles) {
  const Profile* profile = AssignProfile(device, profiles);
  return profile == nullptr ? "(none)" : profile->name;
}

TEST(AssignProfile, TakesTheNamedProfileEvenIfAnotherOneMatches) {
  Device device = Ct();
  device.profile = "special";
  EXPECT_EQ(Assigned(device, {Matching("ct", {"ct", "", ""}), Matching("special", {})}), "special");
}

TEST(AssignProfile, GivesNothingWhenTheNamedProfileDoesNotExist) {
  Device device = Ct();
  device.profile = "missing";
  EXPECT_EQ(Assigned(device, {Matching("ct", {"ct", "", ""}), Matching("unknown", {})}), "(none)");
}

TEST(AssignProfile, ModelCountsMoreThanVendorAndClassTogether) {
  const std::vector<Profile> profiles = {Matching("a-vendor", {"ct", "Example Imaging", ""}),
                                         Matching("b-model", {"", "", "Scan 9"})};
  EXPECT_EQ(Assigned(Ct(), profiles), "b-model");
}

TEST(AssignProfile, VendorCountsMoreThanClass) {
  const std::vector<Profile> profiles = {Matching("a-class", {"ct", "", ""}),
                                         Matching("b-vendor", {"", "Example*", ""})};
  EXPECT_EQ(Assigned(Ct(), profiles), "b-vendor");
}

TEST(AssignProfile, TakesTheFirstByNameAmongEquals) {
  const std::vector<Profile> profiles = {Matching("b", {"ct", "", ""}),
                                         Matching("a", {"c*", "", ""})};
  EXPECT_EQ(Assigned(Ct(), profiles), "a");
}

TEST(AssignProfile, ComparesWithoutCaseAndWithStars) {
  EXPECT_EQ(Assigned(Ct(), {Matching("p", {"CT", "*IMAGING", "s*n*9"})}), "p");
  EXPECT_EQ(Assigned(Ct(), {Matching("p", {"CT", "*imaging?", ""})}), "(none)");
  EXPECT_EQ(Assigned(Ct("", ""), {Matching("p", {"", "", "*"})}), "p");
}

TEST(AssignProfile, StarBacktracksToFindALaterEnd) {
  EXPECT_EQ(Assigned(Ct("aXbXc"), {Matching("p", {"", "a*Xc", ""})}), "p");
  EXPECT_EQ(Assigned(Ct("aXbXcd"), {Matching("p", {"", "a*Xc", ""})}), "(none)");
}

TEST(AssignProfile, FallsBackToUnknown) {
  EXPECT_EQ(Assigned(Ct(), {Matching("pump", {"infusion-pump", "", ""}), Matching("unknown", {})}),
            "unknown");
  EXPECT_EQ(Assigned(Ct(), {Matching("pump", {"infusion-pump", "", ""})}), "(none)");
}

TEST(AssignProfile, MatchWithoutFieldsTakesNothing) {
  EXPECT_EQ(Assigned(Ct(), {Matching("all", {})}), "(none)");
}

}  // namespace
}  // namespace cordon::cp
