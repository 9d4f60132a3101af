// SPDX-License-Identifier: Apache-2.0
#include "controlplane/store/codec.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "controlplane/store/json_object.h"
#include "controlplane/store/knobs_json.h"

namespace cordon::cp {
namespace {

constexpr EnumNames<RuleInitiator, 2> kInitiators{
    {{RuleInitiator::kDevice, "device"}, {RuleInitiator::kPeer, "peer"}}};
constexpr EnumNames<ChangeType, 3> kChangeTypes{{{ChangeType::kAdded, "added"},
                                                 {ChangeType::kChanged, "changed"},
                                                 {ChangeType::kRemoved, "removed"}}};

// Values that are text in the database: parse(text) -> std::optional<T>.
template <typename Parse>
auto FromText(Parse parse) {
  return [parse](const json::value& item) -> decltype(parse(std::string_view())) {
    if (!item.is_string()) return std::nullopt;
    return parse(std::string_view(item.get_string().data(), item.get_string().size()));
  };
}

std::optional<int64_t> SmallNumber(const json::value& item, int64_t maximum) {
  const int64_t* number = item.if_int64();
  if (number == nullptr || *number < 0 || *number > maximum) return std::nullopt;
  return *number;
}

// Not dp::ToString(PortRange) and ParsePrefix: they know no L4 port 0 and no host bits, and what
// was stored must come back even where a document could not have said it.
json::array PortsToJson(dp::PortRange ports) { return {ports.first, ports.last}; }
std::optional<dp::PortRange> PortsFromJson(const json::value& item) {
  const json::array* array = item.if_array();
  if (array == nullptr || array->size() != 2) return std::nullopt;
  const auto first = SmallNumber((*array)[0], 0xffff);
  const auto last = SmallNumber((*array)[1], 0xffff);
  if (!first || !last) return std::nullopt;
  return dp::PortRange{static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)};
}

json::array PrefixToJson(const dp::IpPrefix& prefix) {
  return {json::string(dp::ToString(prefix.address)), prefix.length};
}
std::optional<dp::IpPrefix> PrefixFromJson(const json::value& item) {
  const json::array* array = item.if_array();
  if (array == nullptr || array->size() != 2) return std::nullopt;
  const auto address = FromText(dp::ParseIp)((*array)[0]);
  const auto length = SmallNumber((*array)[1], 128);
  if (!address || !length) return std::nullopt;
  return dp::IpPrefix{*address, static_cast<uint8_t>(*length)};
}

json::object MatchToJson(const ProfileMatch& match) {
  Writer writer;
  writer.Text("class", match.device_class);
  writer.Text("vendor", match.vendor);
  writer.Text("model", match.model);
  return writer.Take();
}
std::optional<ProfileMatch> MatchFromJson(const json::value& item) {
  Reader reader(item);
  ProfileMatch match{reader.Text("class"), reader.Text("vendor"), reader.Text("model")};
  if (!reader.ok()) return std::nullopt;
  return match;
}

std::vector<uint8_t> TypesFromJson(Reader& reader) {
  return reader.List<uint8_t>("icmp_types", [](const json::value& type) {
    const auto number = SmallNumber(type, 0xff);
    return number ? std::optional<uint8_t>(static_cast<uint8_t>(*number)) : std::nullopt;
  });
}

template <typename Rule>
void WriteService(Writer& writer, const Rule& rule) {
  writer.Texts("peer", rule.peer);
  writer.Text("protocol", ProtocolText(rule.protocol, rule.protocol_number));
  writer.List("icmp_types", rule.icmp_types, [](uint8_t type) { return json::value(type); });
  writer.Text("reason", rule.reason);
}
template <typename Rule>
void ReadService(Reader& reader, Rule& rule) {
  rule.peer = reader.Texts("peer");
  if (!SetProtocol(rule, reader.Text("protocol"))) reader.Fail<int>();
  rule.icmp_types = TypesFromJson(reader);
  rule.reason = reader.Text("reason");
}

json::object OverlayRuleToJson(const OverlayRule& rule) {
  Writer writer;
  writer.Text("id", rule.id);
  WriteService(writer, rule);
  writer.List("ports", rule.ports, PortsToJson);
  return writer.Take();
}
std::optional<OverlayRule> OverlayRuleFromJson(const json::value& item) {
  Reader reader(item);
  OverlayRule rule;
  rule.id = reader.Text("id");
  ReadService(reader, rule);
  rule.ports = reader.List<dp::PortRange>("ports", PortsFromJson);
  if (!reader.ok()) return std::nullopt;
  return rule;
}

json::object RuleToJson(const ProfileRule& rule) {
  Writer writer;
  writer.Text("id", rule.id);
  writer.Text("initiator", NameOf(kInitiators, rule.initiator));
  WriteService(writer, rule);
  writer.List("peer_ports", rule.peer_ports, PortsToJson);
  writer.List("device_ports", rule.device_ports, PortsToJson);
  if (rule.vlan) writer.Vlan("vlan", *rule.vlan);
  writer.Integer("idle_timeout", rule.idle_timeout.count());
  writer.Integer("keep_alive", rule.keep_alive ? 1 : 0);
  if (rule.group) writer.Text("group", ToString(*rule.group));
  writer.Integer("expires_at", rule.expires_at.value_or(0));
  writer.Integer("log", rule.log ? 1 : 0);
  writer.Text("preset", rule.preset);
  return writer.Take();
}
std::optional<ProfileRule> RuleFromJson(const json::value& item) {
  Reader reader(item);
  ProfileRule rule;
  rule.id = reader.Text("id");
  rule.initiator = reader.Named("initiator", kInitiators);
  ReadService(reader, rule);
  rule.peer_ports = reader.List<dp::PortRange>("peer_ports", PortsFromJson);
  rule.device_ports = reader.List<dp::PortRange>("device_ports", PortsFromJson);
  rule.vlan = reader.Vlan("vlan");
  rule.idle_timeout = std::chrono::seconds(reader.Integer("idle_timeout"));
  rule.keep_alive = reader.Integer("keep_alive") != 0;
  if (const std::string group = reader.Text("group"); !group.empty()) {
    rule.group = dp::ParseIp(group);
    if (!rule.group) return std::nullopt;
  }
  if (const int64_t expires_at = reader.Integer("expires_at"); expires_at != 0) {
    rule.expires_at = expires_at;
  }
  rule.log = reader.Integer("log") != 0;
  rule.preset = reader.Text("preset");
  if (!reader.ok()) return std::nullopt;
  return rule;
}

json::object ChangeToJson(const ResourceChange& change) {
  Writer writer;
  writer.Text("kind", change.kind);
  writer.Text("name", change.name);
  writer.Text("type", NameOf(kChangeTypes, change.type));
  writer.Texts("details", change.details);
  return writer.Take();
}
std::optional<ResourceChange> ChangeFromJson(const json::value& item) {
  Reader reader(item);
  ResourceChange change;
  change.kind = reader.Text("kind");
  change.name = reader.Text("name");
  change.type = reader.Named("type", kChangeTypes);
  change.details = reader.Texts("details");
  if (!reader.ok()) return std::nullopt;
  return change;
}

}  // namespace

std::string Encode(const Peer& peer) {
  Writer writer;
  writer.Text("description", peer.description);
  writer.List("addresses", peer.addresses, PrefixToJson);
  return json::serialize(writer.Take());
}

bool Decode(std::string_view text, Peer& peer) {
  const auto value = ParseJson(text);
  if (!value) return false;
  Reader reader(*value);
  peer.description = reader.Text("description");
  peer.addresses = reader.List<dp::IpPrefix>("addresses", PrefixFromJson);
  return reader.ok();
}

std::string Encode(const Profile& profile) {
  Writer writer;
  writer.Text("description", profile.description);
  writer.List("match", profile.match, MatchToJson);
  writer.List("rules", profile.rules, RuleToJson);
  WriteKnobs(writer, profile.knobs);
  return json::serialize(writer.Take());
}

bool Decode(std::string_view text, Profile& profile) {
  const auto value = ParseJson(text);
  if (!value) return false;
  Reader reader(*value);
  profile.description = reader.Text("description");
  profile.match = reader.List<ProfileMatch>("match", MatchFromJson);
  profile.rules = reader.List<ProfileRule>("rules", RuleFromJson);
  profile.knobs = ReadKnobs(reader);
  return reader.ok();
}

std::string Encode(const GatewayConfig& gateway) {
  Writer writer;
  writer.Texts("pairs", gateway.pairs);
  writer.Text("unknown_device", gateway.unknown_device);
  WriteProtection(writer, gateway.protection);
  WriteGuards(writer, gateway.guards);
  return json::serialize(writer.Take());
}

bool Decode(std::string_view text, GatewayConfig& gateway) {
  const auto value = ParseJson(text);
  if (!value) return false;
  Reader reader(*value);
  gateway.pairs = reader.Texts("pairs");
  gateway.unknown_device = reader.Text("unknown_device");
  gateway.protection = ReadProtection(reader);
  gateway.guards = ReadGuards(reader);
  return reader.ok();
}

std::string Encode(const Overlay& overlay) {
  Writer writer;
  writer.Text("description", overlay.description);
  writer.List("rules", overlay.rules, OverlayRuleToJson);
  return json::serialize(writer.Take());
}

bool Decode(std::string_view text, Overlay& overlay) {
  const auto value = ParseJson(text);
  if (!value) return false;
  Reader reader(*value);
  overlay.description = reader.Text("description");
  overlay.rules = reader.List<OverlayRule>("rules", OverlayRuleFromJson);
  return reader.ok();
}

std::string Encode(const Device& device) {
  Writer writer;
  writer.List("macs", device.macs, [](dp::MacAddress mac) { return json::string(ToString(mac)); });
  writer.List("ips", device.ips,
              [](const dp::IpAddress& ip) { return json::string(ToString(ip)); });
  if (device.vlan != dp::VlanTags{}) writer.Vlan("vlan", device.vlan);
  writer.Text("vendor", device.vendor);
  writer.Text("model", device.model);
  writer.Text("class", device.device_class);
  writer.Text("location", device.location);
  writer.Text("serial", device.serial);
  writer.Text("asset_tag", device.asset_tag);
  writer.Text("profile", device.profile);
  writer.Text("gateway", device.gateway);
  writer.Text("pair", device.pair);
  writer.Text("mode", ToString(device.mode));
  writer.Text("source", device.source);
  WriteKnobs(writer, device.knobs);
  return json::serialize(writer.Take());
}

bool Decode(std::string_view text, Device& device) {
  const auto value = ParseJson(text);
  if (!value) return false;
  Reader reader(*value);
  device.macs = reader.List<dp::MacAddress>("macs", FromText(dp::ParseMac));
  device.ips = reader.List<dp::IpAddress>("ips", FromText(dp::ParseIp));
  device.vlan = reader.Vlan("vlan").value_or(dp::VlanTags{});
  device.vendor = reader.Text("vendor");
  device.model = reader.Text("model");
  device.device_class = reader.Text("class");
  device.location = reader.Text("location");
  device.serial = reader.Text("serial");
  device.asset_tag = reader.Text("asset_tag");
  device.profile = reader.Text("profile");
  device.gateway = reader.Text("gateway");
  device.pair = reader.Text("pair");
  const auto mode = ParseDeviceMode(reader.Text("mode"));
  device.mode = mode ? *mode : reader.Fail<DeviceMode>();
  device.source = reader.Text("source");
  device.knobs = ReadKnobs(reader);
  return reader.ok();
}

std::string Encode(const std::vector<std::string>& texts) {
  Writer writer;
  writer.Texts("list", texts);
  return json::serialize(writer.Take());
}

bool Decode(std::string_view text, std::vector<std::string>& texts) {
  const auto value = ParseJson(text);
  if (!value) return false;
  Reader reader(*value);
  texts = reader.Texts("list");
  return reader.ok();
}

std::string Encode(const std::vector<ResourceChange>& changes) {
  Writer writer;
  writer.List("list", changes, ChangeToJson);
  return json::serialize(writer.Take());
}

bool Decode(std::string_view text, std::vector<ResourceChange>& changes) {
  const auto value = ParseJson(text);
  if (!value) return false;
  Reader reader(*value);
  changes = reader.List<ResourceChange>("list", ChangeFromJson);
  return reader.ok();
}

std::string EncodeDays(const std::vector<int32_t>& days) {
  std::string text;
  for (size_t i = 0; i < days.size();) {
    size_t end = i + 1;
    while (end < days.size() && days[end] == days[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(days[i]);
    if (end - i > 1) text += '-' + std::to_string(days[end - 1]);
    i = end;
  }
  return text;
}

bool DecodeDays(std::string_view text, std::vector<int32_t>& days) {
  days.clear();
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    int32_t first = 0;
    auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc()) return false;
    int32_t last = first;
    if (parsed.ptr != end && *parsed.ptr == '-') {
      parsed = std::from_chars(parsed.ptr + 1, end, last);
      if (parsed.ec != std::errc()) return false;
    }
    if (first < 0 || last < first || last > kMaxDay) return false;
    if (!days.empty() && first <= days.back()) return false;
    for (int32_t day = first; day <= last; ++day) days.push_back(day);
    at = parsed.ptr;
    if (at == end) break;
    if (*at != ',' || at + 1 == end) return false;
    ++at;
  }
  return true;
}

}  // namespace cordon::cp
