// SPDX-License-Identifier: Apache-2.0
// Bytes -> v1.PolicySet -> PolicySpec -> PolicyTable -> lookups. Nothing crashes; what is refused
// says why; in what is accepted each device is found by its own identity.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/agent/from_proto.h"
#include "dataplane/policy/decide.h"

namespace cordon::dp {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// The pairs are wired as the set wishes, and one more, so that sound sets get through.
std::vector<std::string> WiredPairs(const v1::PolicySet& set) {
  std::vector<std::string> pairs{"spare"};
  for (const std::string& pair : set.pairs()) {
    if (pairs.size() < 8 && pair != "spare") pairs.push_back(pair);
  }
  return pairs;
}

void AskAbout(const PolicyTable& table, DeviceIndex device, const DeviceSpec& spec) {
  for (const uint8_t number :
       {protocol::kTcp, protocol::kUdp, protocol::kIcmp, protocol::kIcmpv6}) {
    FlowQuestion question;
    question.protocol = number;
    question.peer_port = 443;
    question.device_port = 40'000;
    question.vlan = spec.vlan;
    question.peer = IpAddress::V4(0x0a140005);
    const Decision decision = Decide(table, device, question);
    Require(decision.reason != Reason::kUndecided);
    const bool ruled = decision.rule != kNoRuleIndex;
    // In enforce and quarantine a frame passes by a rule and by nothing else.
    const bool strict = spec.mode == Mode::kEnforce || spec.mode == Mode::kQuarantine;
    if (strict) Require((decision.verdict == Verdict::kForward) == ruled);
    if (ruled) Require(!table.RuleOrigin(decision.rule).empty());
  }
}

void CheckDevice(const PolicyTable& table, const DeviceSpec& spec) {
  const int pair = table.PairNumber(spec.pair);
  Require(pair >= 0);
  const auto number = static_cast<uint16_t>(pair);
  for (const MacAddress mac : spec.macs) {
    const DeviceIndex device = table.FindByMac(number, spec.vlan, mac);
    Require(table.DeviceName(device) == spec.name);
    Require(table.ModeOf(device) == spec.mode);
    for (const IpAddress& ip : spec.ips) Require(table.IsBound(device, ip));
    AskAbout(table, device, spec);
  }
  for (const IpAddress& ip : spec.ips) {
    Require(table.DeviceName(table.FindByIp(number, spec.vlan, ip)) == spec.name);
  }
}

void Run(std::string_view bytes) {
  v1::PolicySet set;
  if (!set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const PolicySetResult converted = FromProto(set, set.gateway(), WiredPairs(set));
  for (const Fault& fault : converted.faults) Require(!fault.message.empty());
  if (!converted.faults.empty()) return;
  const CompileResult compiled = Compile(converted.spec, {.devices = 1000, .rows = 100'000});
  Require((compiled.table != nullptr) == compiled.faults.empty());
  if (!compiled.table) return;
  const PolicyTable& table = *compiled.table;
  Require(table.device_count() == converted.spec.devices.size());
  Require(table.generation() == set.generation());
  Require(table.FindByMac(0, {}, MacAddress{}) == kNoDevice);
  for (const DeviceSpec& device : converted.spec.devices) CheckDevice(table, device);
}

}  // namespace
}  // namespace cordon::dp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cordon::dp::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
