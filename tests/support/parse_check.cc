// SPDX-License-Identifier: Apache-2.0
#include "tests/support/parse_check.h"

namespace cordon::dp::testing {
namespace {

std::string Show(MacAddress mac) { return ToString(mac); }
std::string Show(const IpAddress& ip) { return ToString(ip); }
std::string Show(VlanTags vlan) { return ToString(vlan); }
template <typename T>
std::string Show(T number) {
  return std::to_string(static_cast<uint64_t>(number));
}

class Fields {
 public:
  template <typename T>
  void Same(const char* name, const T& parsed, const T& expected) {
    if (parsed == expected || !difference_.empty()) return;
    difference_ = std::string(name) + " is " + Show(parsed) + ", not " + Show(expected);
  }
  const std::string& difference() const { return difference_; }

 private:
  std::string difference_;
};

void CompareUnion(const Packet& parsed, const Packet& facts, Fields& fields) {
  if (facts.layer3 == Layer3::kArp) {
    fields.Same("arp.operation", parsed.arp.operation, facts.arp.operation);
    fields.Same("arp.sender_mac", parsed.arp.sender_mac, facts.arp.sender_mac);
    fields.Same("arp.sender_ip", parsed.arp.sender_ip, facts.arp.sender_ip);
    fields.Same("arp.target_ip", parsed.arp.target_ip, facts.arp.target_ip);
  }
  if (facts.icmp_kind == IcmpKind::kNeighbour) {
    fields.Same("nd.hop_limit_ok", parsed.nd.hop_limit_ok, facts.nd.hop_limit_ok);
    if (!facts.nd.hop_limit_ok) return;  // refused, whatever else it says
    fields.Same("nd.target", parsed.nd.target, facts.nd.target);
    fields.Same("nd.source_link_layer", parsed.nd.source_link_layer, facts.nd.source_link_layer);
    fields.Same("nd.target_link_layer", parsed.nd.target_link_layer, facts.nd.target_link_layer);
  }
  if (facts.protocol == protocol::kIgmp && !facts.IsLaterFragment()) {
    fields.Same("igmp.type", parsed.igmp.type, facts.igmp.type);
    fields.Same("igmp.group", parsed.igmp.group, facts.igmp.group);
  }
  if (facts.icmp_kind == IcmpKind::kError) {
    fields.Same("quoted.source", parsed.quoted.source, facts.quoted.source);
    fields.Same("quoted.destination", parsed.quoted.destination, facts.quoted.destination);
    fields.Same("quoted.protocol", parsed.quoted.protocol, facts.quoted.protocol);
    fields.Same("quoted.source_port", parsed.quoted.source_port, facts.quoted.source_port);
    fields.Same("quoted.destination_port", parsed.quoted.destination_port,
                facts.quoted.destination_port);
    fields.Same("quoted.icmp_type", parsed.quoted.icmp_type, facts.quoted.icmp_type);
    fields.Same("quoted.icmp_id", parsed.quoted.icmp_id, facts.quoted.icmp_id);
  }
}

void CompareLayer4(const Packet& parsed, const Packet& facts, Fields& fields) {
  fields.Same("protocol", parsed.protocol, facts.protocol);
  fields.Same("hop_limit", parsed.hop_limit, facts.hop_limit);
  fields.Same("tcp_flags", parsed.tcp_flags, facts.tcp_flags);
  fields.Same("tcp_window_scale", parsed.tcp_window_scale, facts.tcp_window_scale);
  fields.Same("icmp_type", parsed.icmp_type, facts.icmp_type);
  fields.Same("icmp_code", parsed.icmp_code, facts.icmp_code);
  fields.Same("icmp_kind", parsed.icmp_kind, facts.icmp_kind);
  fields.Same("icmp_id", parsed.icmp_id, facts.icmp_id);
  fields.Same("source_port", parsed.source_port, facts.source_port);
  fields.Same("destination_port", parsed.destination_port, facts.destination_port);
  fields.Same("tcp_window", parsed.tcp_window, facts.tcp_window);
  fields.Same("tcp_sequence", parsed.tcp_sequence, facts.tcp_sequence);
  fields.Same("tcp_acknowledgment", parsed.tcp_acknowledgment, facts.tcp_acknowledgment);
  fields.Same("payload_length", parsed.payload_length, facts.payload_length);
}

void CompareFragment(const Packet& parsed, const Packet& facts, Fields& fields) {
  fields.Same("is_fragment", parsed.is_fragment, facts.is_fragment);
  fields.Same("fragment_id", parsed.fragment_id, facts.fragment_id);
  fields.Same("fragment_offset", parsed.fragment_offset, facts.fragment_offset);
  fields.Same("fragment_length", parsed.fragment_length, facts.fragment_length);
  fields.Same("more_fragments", parsed.more_fragments, facts.more_fragments);
}

// What is inside of DHCP messages is judged by fuzz_dhcp and its model.
bool IsJudgedInsideOfDhcp(const Packet& parsed, const Packet& facts) {
  const uint16_t port = facts.destination_port;
  const bool dhcp =
      facts.protocol == protocol::kUdp && (port == 67 || port == 68 || port == 546 || port == 547);
  return dhcp &&
         (parsed.reason == Reason::kDhcpMalformed || parsed.reason == Reason::kDhcpFragmented);
}

}  // namespace

std::string DifferenceOf(const Packet& parsed, const OracleFrame& expected) {
  const Packet& facts = expected.facts;
  Fields fields;
  fields.Same("has_ethernet", parsed.has_ethernet, facts.has_ethernet);
  fields.Same("source_mac", parsed.source_mac, facts.source_mac);
  fields.Same("destination_mac", parsed.destination_mac, facts.destination_mac);
  fields.Same("vlan", parsed.vlan, facts.vlan);
  if (!fields.difference().empty()) return fields.difference();
  if (IsJudgedInsideOfDhcp(parsed, facts)) return "";
  if (!expected.faults.empty() || parsed.reason != Reason::kUndecided) {
    if (expected.faults.count(parsed.reason) != 0) return "";
    std::string text = "reason is " + std::string(ToString(parsed.reason)) + ", none of:";
    for (const Reason fault : expected.faults) text += " " + std::string(ToString(fault));
    return text;
  }
  fields.Same("ethertype", parsed.ethertype, facts.ethertype);
  fields.Same("layer3", parsed.layer3, facts.layer3);
  fields.Same("source", parsed.source, facts.source);
  fields.Same("destination", parsed.destination, facts.destination);
  fields.Same("frame_length", parsed.frame_length, facts.frame_length);
  CompareLayer4(parsed, facts, fields);
  CompareFragment(parsed, facts, fields);
  fields.Same("anomalies", parsed.anomalies & ~MaskOf(Check::kDhcpOption), facts.anomalies);
  CompareUnion(parsed, facts, fields);
  return fields.difference();
}

}  // namespace cordon::dp::testing
