// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "dataplane/policy/check_knobs.h"
#include "dataplane/policy/check_rules.h"
#include "dataplane/policy/compile_rules.h"
#include "dataplane/policy/compiled.h"
#include "dataplane/policy/faults.h"

namespace cordon::dp {
namespace {

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string AtMost(size_t count, size_t limit) {
  return std::to_string(count) + " exceed the capacity of this gateway, which is " +
         std::to_string(limit);
}

bool IsUnicast(const IpAddress& ip) {
  return !ip.IsUnspecified() && !ip.IsMulticast() && !ip.IsLimitedBroadcast();
}

}  // namespace

// First everything is checked, so that a report has all faults; then everything is compiled, and
// nothing can fail any more.
class Compiler {
 public:
  Compiler(const PolicySpec& spec, const PolicyLimits& limits, const CompileOptions& options)
      : spec_(spec),
        limits_(limits),
        options_(options),
        table_(std::make_unique<PolicyTable>()),
        impl_(*table_->impl_),
        rules_(impl_.rules, options.now) {}

  CompileResult Run() {
    CheckHead();
    CheckGatewayKnobs();
    if (CheckCapacity()) {
      CheckRulesets();
      IndexDevices();
    }
    if (!faults_.empty()) return {nullptr, faults_.Take()};
    CompileHead();
    CompileRulesets();
    CompileDevices();
    AssignSlots();
    CompileScopes();
    SetNextExpiry();
    return {std::move(table_), {}};
  }

 private:
  void CheckHead();
  void CheckGatewayKnobs();
  bool CheckCapacity();
  void CheckRulesets();
  // Fills the maps and reports what is there twice.
  void IndexDevices();
  void CheckDevice(size_t i);
  void IndexMacs(size_t i, uint16_t pair);
  void IndexIps(size_t i, uint16_t pair);
  void CompileHead();
  void CompileRulesets();
  void CompileDevices();
  uint32_t LimitsNumber(const LimitSpec& limits);
  void AssignSlots();
  void CompileScopes();
  void SetNextExpiry();

  void AddFault(size_t device, std::string_view field, std::string message) {
    faults_.Add(Element("devices", device) + "." + std::string(field), std::move(message));
  }
  std::string NameOf(uint32_t device) const {
    return Element("devices", device) + " (" + Quoted(spec_.devices[device].name) + ")";
  }

  const PolicySpec& spec_;
  const PolicyLimits& limits_;
  const CompileOptions& options_;
  FaultList faults_;
  std::unique_ptr<PolicyTable> table_;
  PolicyTable::Impl& impl_;
  RulesetCompiler rules_;
  RulesetTotals totals_;
  std::unordered_map<std::string_view, uint16_t> pairs_;
  std::unordered_map<std::string_view, uint32_t> device_by_name_;
  std::vector<uint32_t> compiled_ruleset_;  // by position in the spec
  std::map<std::array<uint64_t, 7>, uint32_t> limits_number_;
  uint32_t last_limits_ = 0;
};

void Compiler::CheckHead() {
  if (spec_.generation == 0) faults_.Add("generation", "must be at least 1");
  if (spec_.gateway.size() > kMaxNameLength) {
    faults_.Add("gateway", "longer than " + std::to_string(kMaxNameLength) + " characters");
  }
  for (size_t i = 0; i < spec_.pairs.size(); ++i) {
    const std::string& name = spec_.pairs[i];
    if (name.empty() || name.size() > kMaxNameLength) {
      faults_.Add(Element("pairs", i), "a pair needs a name of 1 to 256 characters");
    } else if (!pairs_.emplace(name, static_cast<uint16_t>(i)).second) {
      faults_.Add(Element("pairs", i), Quoted(name) + " is already " +
                                           Element("pairs", pairs_[name]) +
                                           "; names of pairs must differ");
    }
  }
  if (spec_.unknown_device_ruleset && *spec_.unknown_device_ruleset >= spec_.rulesets.size()) {
    faults_.Add("unknown_device_ruleset", std::to_string(*spec_.unknown_device_ruleset) +
                                              " is not a ruleset: there are " +
                                              std::to_string(spec_.rulesets.size()));
  }
}

void Compiler::CheckGatewayKnobs() {
  CheckProtection(spec_.protection, "protection", faults_);
  if (spec_.guards.size() > spec_.pairs.size()) {
    faults_.Add("guards", "for " + std::to_string(spec_.guards.size()) +
                              " pairs, but the gateway has " + std::to_string(spec_.pairs.size()));
  }
  for (size_t i = 0; i < spec_.guards.size(); ++i) {
    CheckGuards(spec_.guards[i], Element("guards", i), limits_, faults_);
  }
}

// What is too large is not looked into: checking it would cost what the limit is there to save.
bool Compiler::CheckCapacity() {
  size_t rules = 0;
  for (const RulesetSpec& ruleset : spec_.rulesets) rules += ruleset.rules.size();
  const auto check = [this](std::string_view list, size_t count, size_t limit) {
    if (count > limit) faults_.Add(std::string(list), AtMost(count, limit));
    return count <= limit;
  };
  const bool pairs = check("pairs", spec_.pairs.size(), limits_.pairs);
  const bool devices = check("devices", spec_.devices.size(), limits_.devices);
  const bool rulesets = check("rulesets", rules, limits_.rules);
  const bool overlay = check("overlay", spec_.overlay.size(), limits_.overlay_rules);
  return pairs && devices && rulesets && overlay;
}

void Compiler::CheckRulesets() {
  RulesetChecker checker(limits_, faults_);
  checker.CheckOverlay(spec_.overlay);
  for (size_t i = 0; i < spec_.rulesets.size(); ++i) checker.Check(spec_.rulesets[i], i);
  totals_ = checker.totals();
  if (totals_.rows > limits_.rows) {
    faults_.Add("rulesets", "compiled rows: " + AtMost(totals_.rows, limits_.rows));
  }
}

void Compiler::IndexDevices() {
  size_t macs = 0, ips = 0;
  for (const DeviceSpec& device : spec_.devices) {
    macs += device.macs.size();
    ips += device.ips.size();
  }
  impl_.by_mac.Reset(macs);
  impl_.pair_by_mac.Reset(macs);
  impl_.by_ip.Reset(ips);
  device_by_name_.reserve(spec_.devices.size());
  for (size_t i = 0; i < spec_.devices.size(); ++i) {
    CheckDevice(i);
    const DeviceSpec& device = spec_.devices[i];
    const auto pair = pairs_.find(device.pair);
    if (pair == pairs_.end()) {
      AddFault(i, "pair", Quoted(device.pair) + " is not a pair of this gateway");
      continue;
    }
    IndexMacs(i, pair->second);
    IndexIps(i, pair->second);
  }
}

void Compiler::CheckDevice(size_t i) {
  const DeviceSpec& device = spec_.devices[i];
  if (device.name.empty() || device.name.size() > kMaxNameLength) {
    AddFault(i, "name", "a device needs a name of 1 to 256 characters");
  } else {
    const auto [known, is_new] = device_by_name_.emplace(device.name, static_cast<uint32_t>(i));
    if (!is_new) {
      AddFault(i, "name",
               Quoted(device.name) + " is already the name of " +
                   Element("devices", known->second) + "; names must differ");
    }
  }
  if (!IsLegalVlan(device.vlan)) {
    AddFault(i, "vlan", "VLAN ids are 1-4094, and an inner id needs an outer one");
  }
  if (device.ruleset >= spec_.rulesets.size()) {
    AddFault(i, "ruleset",
             std::to_string(device.ruleset) + " is not a ruleset: there are " +
                 std::to_string(spec_.rulesets.size()));
  }
  if (device.macs.empty() && device.ips.empty()) {
    AddFault(i, "macs", "a device needs a MAC address, or an IP address if it is behind a router");
  }
  if (std::max(device.macs.size(), device.ips.size()) > limits_.addresses_per_device) {
    AddFault(
        i, "ips",
        "MAC or IP addresses of a device: " +
            AtMost(std::max(device.macs.size(), device.ips.size()), limits_.addresses_per_device));
  }
  if (!device.protection.overrides.empty()) {
    CheckProtection(device.protection, Element("devices", i) + ".protection", faults_);
  }
  if (device.limits != LimitSpec{}) {
    CheckLimits(device.limits, Element("devices", i) + ".limits", faults_);
  }
}

void Compiler::IndexMacs(size_t i, uint16_t pair) {
  const DeviceSpec& device = spec_.devices[i];
  for (size_t j = 0; j < device.macs.size(); ++j) {
    const MacAddress mac = device.macs[j];
    if (mac.IsGroup() || mac.IsZero() || mac.value >> 48 != 0) {
      AddFault(i, Element("macs", j), ToString(mac) + " cannot be a device's address");
      continue;
    }
    impl_.pair_by_mac.Put({mac.value << 16, 0}, pair);
    const uint32_t other =
        impl_.by_mac.Put({mac.value << 16 | pair, VlanWord(device.vlan)}, static_cast<uint32_t>(i));
    if (other == kNoValue) continue;
    AddFault(i, Element("macs", j),
             ToString(mac) + " already belongs to " + NameOf(other) +
                 " on this pair and VLAN; a MAC address may be listed once");
  }
}

void Compiler::IndexIps(size_t i, uint16_t pair) {
  const DeviceSpec& device = spec_.devices[i];
  for (size_t j = 0; j < device.ips.size(); ++j) {
    const IpAddress& ip = device.ips[j];
    if (!IsUnicast(ip)) {
      AddFault(i, Element("ips", j), ToString(ip) + " is not a unicast address");
      continue;
    }
    const uint32_t other =
        impl_.by_ip.Put({ip.hi, ip.lo, VlanWord(device.vlan), pair}, static_cast<uint32_t>(i));
    if (other == kNoValue) continue;
    AddFault(i, Element("ips", j),
             ToString(ip) + " is already bound to " + NameOf(other) +
                 " on this pair and VLAN; an address may be bound once");
  }
}

void Compiler::CompileHead() {
  table_->gateway_ = spec_.gateway;
  table_->generation_ = spec_.generation;
  impl_.pairs = spec_.pairs;
  impl_.guards = spec_.guards;
  impl_.nobodys_checks = impl_.anybodys_checks = MaskOf(spec_.protection);
}

void Compiler::CompileRulesets() {
  rules_.Reserve(totals_);
  if (!spec_.overlay.empty()) {
    impl_.overlay_ruleset = rules_.CompileOverlay(spec_.overlay);
    impl_.overlay_rules = static_cast<uint32_t>(spec_.overlay.size());
  }
  compiled_ruleset_.reserve(spec_.rulesets.size());
  for (const RulesetSpec& ruleset : spec_.rulesets) {
    compiled_ruleset_.push_back(rules_.Compile(ruleset));
  }
  // More than a worker's share of the caches holds.
  table_->has_many_rules_ = impl_.rules.v4.size() * sizeof(BlockV4) > (size_t{1} << 20);
  impl_.distinct_rulesets = impl_.rules.rulesets.size() - (spec_.overlay.empty() ? 0 : 1);
  if (spec_.unknown_device_ruleset) {
    impl_.unknown_device_ruleset = compiled_ruleset_[*spec_.unknown_device_ruleset];
  }
}

void Compiler::CompileDevices() {
  impl_.devices.reserve(spec_.devices.size());
  impl_.device_names.Reserve(spec_.devices.size(), 0);
  for (const DeviceSpec& device : spec_.devices) {
    CompiledDevice compiled;
    compiled.ruleset = compiled_ruleset_[device.ruleset];
    if (device.mode == Mode::kQuarantine) {
      compiled.ruleset = rules_.KeepAliveOnly(compiled.ruleset);
    }
    compiled.vlan = VlanWord(device.vlan);
    compiled.pair = pairs_.find(device.pair)->second;
    compiled.mode = device.mode;
    compiled.routed = device.macs.empty();
    compiled.has_bound_addresses = !device.ips.empty();
    compiled.checks = MaskOf(device.protection);
    impl_.anybodys_checks |= compiled.checks;
    compiled.limits = LimitsNumber(device.limits);
    table_->has_routed_devices_ |= compiled.routed;
    table_->has_limits_ |= compiled.limits != 0;
    impl_.devices.push_back(compiled);
    impl_.device_names.Add(device.name);
  }
}

// Most devices have the limits of one of a few profiles.
uint32_t Compiler::LimitsNumber(const LimitSpec& limits) {
  auto& all = impl_.limits;
  if (limits == all.front()) return 0;
  if (last_limits_ != 0 && limits == all[last_limits_]) return last_limits_;
  const auto [known, is_new] = limits_number_.try_emplace(
      std::array{limits.toward.packets_per_second, limits.toward.bytes_per_second,
                 limits.toward.new_flows_per_second, limits.from.packets_per_second,
                 limits.from.bytes_per_second, limits.from.new_flows_per_second,
                 uint64_t{limits.max_flows} << 32 | limits.max_half_open},
      static_cast<uint32_t>(all.size()));
  if (is_new) all.push_back(limits);
  return last_limits_ = known->second;
}

void Compiler::AssignSlots() {
  std::vector<std::string_view> names;
  names.reserve(spec_.devices.size());
  for (const DeviceSpec& device : spec_.devices) names.push_back(device.name);
  std::vector<uint32_t> slots;
  if (options_.slots != nullptr) slots = options_.slots->Assign(names);
  for (size_t i = 0; i < names.size(); ++i) {
    impl_.devices[i].slot = slots.empty() ? kNobodysSlot + 1 + static_cast<uint32_t>(i) : slots[i];
  }
}

void Compiler::SetNextExpiry() {
  for (const RuleExtra& extra : impl_.rules.extras) {
    if (extra.expires_at <= options_.now) continue;
    auto& next = table_->next_expiry_;
    next = std::min(next.value_or(extra.expires_at), extra.expires_at);
  }
}

void Compiler::CompileScopes() {
  // Distinct rulesets of a scope, in the order of its devices.
  std::vector<std::vector<uint32_t>> rulesets;
  std::unordered_set<uint64_t> seen;
  impl_.by_scope.Reset(impl_.devices.size());
  for (const CompiledDevice& device : impl_.devices) {
    const auto next = static_cast<uint32_t>(impl_.scopes.size());
    uint32_t scope = impl_.by_scope.Put({device.vlan, device.pair}, next);
    if (scope == kNoValue) {
      scope = next;
      impl_.scopes.emplace_back();
      rulesets.emplace_back();
    }
    GroupScope& facts = impl_.scopes[scope].facts;
    facts.has_devices = true;
    facts.has_unbound_devices |= !device.has_bound_addresses;
    facts.mode =
        std::min(facts.mode, device.mode == Mode::kQuarantine ? Mode::kEnforce : device.mode);
    const bool is_new = seen.insert(static_cast<uint64_t>(scope) << 32 | device.ruleset).second;
    if (is_new) rulesets[scope].push_back(device.ruleset);
  }
  for (size_t i = 0; i < rulesets.size(); ++i) {
    impl_.scopes[i].ruleset =
        rulesets[i].size() == 1 ? rulesets[i].front() : rules_.MergeForGroups(rulesets[i]);
  }
}

CompileResult Compile(const PolicySpec& spec, const PolicyLimits& limits,
                      const CompileOptions& options) {
  return Compiler(spec, limits, options).Run();
}

}  // namespace cordon::dp
