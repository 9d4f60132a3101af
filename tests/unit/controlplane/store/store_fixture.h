// SPDX-License-Identifier: Apache-2.0
// Data and files for the tests of the store.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "controlplane/store/store.h"

namespace cordon::cp {

// A directory of its own, removed afterwards.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = testing::TempDir() + "cordon-store-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string File(const std::string& name = "cordon.db") const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::unique_ptr<Store> Open(const std::string& path = ":memory:") {
  SqliteOptions options;
  options.path = path;
  auto store = OpenSqliteStore(options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

inline GenerationRecord Record(uint64_t generation) {
  GenerationRecord record;
  record.generation = generation;
  record.created = std::chrono::system_clock::time_point(std::chrono::nanoseconds(1234567890123));
  record.author = "local:root";
  record.origin = "apply";
  return record;
}

inline Device NamedDevice(const std::string& name, const std::string& location = "") {
  Device device;
  device.name = name;
  device.location = location;
  return device;
}

inline Configuration WithDevices(const std::vector<Device>& devices) {
  Configuration configuration;
  for (const Device& device : devices) configuration.devices[device.name] = device;
  return configuration;
}

inline Knobs FullKnobs() {
  Knobs knobs;
  knobs.protection.level = dp::Protection::kOff;
  knobs.protection.checks = {{dp::Check::kTcpMss, CheckAction::kPass},
                             {dp::Check::kIpv6, CheckAction::kDrop}};
  for (const auto& [limit, name] : kLimitNames) knobs.limits[limit] = name.size();
  knobs.limits[Limit::kMaxFlows] = 0;  // explicitly none
  return knobs;
}

// Every field of every kind set to something that is not its default.
inline Configuration FullConfiguration() {
  Configuration full;
  Peer peer{"pacs", "the \"archive\"\n\x01", {*dp::ParsePrefix("10.0.0.0/8")}};
  peer.addresses.push_back({*dp::ParseIp("fd00::20:1"), 64});  // with host bits
  full.peers["pacs"] = peer;
  ProfileRule rule;
  rule.id = "store";
  rule.initiator = RuleInitiator::kPeer;
  rule.peer = {"pacs", "10.1.2.3"};
  rule.protocol = RuleProtocol::kIcmpv6;
  rule.peer_ports = {{104, 104}, {0, 65535}};
  rule.device_ports = {{1024, 2047}};
  rule.icmp_types = {0, 255};
  rule.vlan = dp::VlanTags{100, 30};
  rule.idle_timeout = std::chrono::hours(24);
  rule.keep_alive = true;
  rule.group = dp::ParseIp("ff02::c");
  rule.expires_at = 1'798'135'200;
  rule.log = true;
  rule.preset = "mdns";
  rule.reason = "images go to the archive";
  ProfileRule untagged;
  untagged.protocol = RuleProtocol::kNumber;
  untagged.protocol_number = 47;
  untagged.vlan = dp::VlanTags{};
  full.profiles["ct"] = {"ct", "a scanner", {{"ct", "Example*", "Scan 9"}, {}}, {rule, untagged}};
  full.gateways["g"] = {"g", {"p1", "p2"}, "unknown"};
  full.profiles["ct"].knobs = FullKnobs();
  full.gateways["g"].protection = FullKnobs().protection;
  full.gateways["g"].guards["p2"] = {{0x88f7}, {*dp::ParseIp("10.0.0.67")}, 20, 50};
  full.gateways["g"].guards["p1"] = {{}, {}, 0, 0};
  OverlayRule smb;
  smb.id = "smb";
  smb.peer = {"any"};
  smb.protocol = RuleProtocol::kNumber;
  smb.protocol_number = 2;
  smb.ports = {{445, 445}};
  smb.icmp_types = {8};
  smb.reason = "a worm";
  full.overlays["no-smb"] = {"no-smb", "emergency", {smb}};
  Device device{.name = "ct-2",
                .macs = {{0x020000003021}, {0xfffffffffffe}},
                .ips = {*dp::ParseIp("10.30.0.21"), *dp::ParseIp("fd00::1")},
                .vlan = {30, 0},
                .vendor = "Example \xff not UTF-8",
                .model = "Scan 9",
                .device_class = "ct",
                .location = "Köln",
                .serial = "S",
                .asset_tag = "T",
                .profile = "ct",
                .gateway = "g",
                .pair = "p1",
                .mode = DeviceMode::kQuarantine,
                .knobs = FullKnobs(),
                .source = "import:a.csv"};
  full.devices["ct-2"] = device;
  full.devices["bare"] = NamedDevice("bare");
  return full;
}

}  // namespace cordon::cp
