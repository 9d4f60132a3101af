// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/event_line.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "controlplane/cli/reason.h"
#include "controlplane/cli/show.h"
#include "controlplane/cli/text.h"
#include "controlplane/cli/tree.h"

namespace cordon::cp::cli {
namespace {

// IANA protocol numbers and ethertypes that have a name here.
constexpr uint32_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;
constexpr uint32_t kEthertypeArp = 0x0806, kEthertypeIpv4 = 0x0800, kEthertypeIpv6 = 0x86dd;

std::string Hex(uint32_t value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%04x", value);
  return text.data();
}

std::string OneOf(const std::string& first, const std::string& second) {
  if (!first.empty()) return Printable(first);
  return second.empty() ? "-" : Printable(second);
}

// Month, day and time: the memory of events is short.
std::string FormatWhen(const v1::FlowRecord& record) {
  return record.has_last_seen() ? FormatTime(ToTimePoint(record.last_seen())).substr(5) : "-";
}

std::string FormatWhy(const v1::FlowRecord& record) {
  std::string text = Printable(FormatReason(record.reason()));
  const bool address_matters = record.reason().ends_with("_not_bound");
  if (address_matters && !record.device_ip().empty()) {
    text += ": " + Printable(record.device_ip());
  }
  if (record.generation() != 0) {
    const std::string rule = record.rule().empty() ? "default" : Printable(record.rule());
    text += " (" + rule + ", generation " + std::to_string(record.generation()) + ")";
  }
  if (record.count() > 1) text += " (" + FormatCount(record.count()) + " times)";
  return text;
}

}  // namespace

std::string FormatService(const v1::FlowRecord& record) {
  const bool to_device = record.initiator() == v1::INITIATOR_PEER;
  const uint32_t l4_port = to_device ? record.device_port() : record.peer_port();
  switch (record.protocol()) {
    case kTcp:
      return "tcp/" + std::to_string(l4_port);
    case kUdp:
      return "udp/" + std::to_string(l4_port);
    case kIcmp:
      return "icmp/" + std::to_string(record.icmp_type());
    case kIcmpv6:
      return "icmpv6/" + std::to_string(record.icmp_type());
    default:
      break;
  }
  if (record.protocol() != 0) return "protocol " + std::to_string(record.protocol());
  if (record.ethertype() == kEthertypeArp) return "arp";
  if (record.ethertype() == kEthertypeIpv4) return "ipv4";
  if (record.ethertype() == kEthertypeIpv6) return "ipv6";
  return "ethertype " + Hex(record.ethertype());
}

void EventLines::Print(const google::protobuf::RepeatedPtrField<v1::FlowRecord>& records,
                       std::ostream& out) {
  std::vector<std::array<std::string, kColumns>> lines;
  for (const v1::FlowRecord& record : records) {
    const bool to_device = record.initiator() == v1::INITIATOR_PEER;
    lines.push_back({FormatWhen(record), OneOf(record.gateway(), record.pair()),
                     OneOf(record.device(), record.device_mac()),
                     (to_device ? "<- " : "-> ") + OneOf(record.peer_ip(), record.peer_mac()),
                     FormatService(record)});
    for (size_t i = 0; i < kColumns; ++i) {
      widths_[i] = std::max(widths_[i], DisplayWidth(lines.back()[i]));
    }
  }
  for (int row = 0; row < records.size(); ++row) {
    std::string line;
    for (size_t i = 0; i < kColumns; ++i) {
      const std::string& text = lines[static_cast<size_t>(row)][i];
      line += text + std::string(widths_[i] - DisplayWidth(text) + (i == 2 ? 1 : 2), ' ');
    }
    const Cell verdict = VerdictCell(records[row].verdict());
    const std::string padding(
        std::string("forward").size() - std::min<size_t>(7, verdict.text.size()), ' ');
    const size_t used = DisplayWidth(line) + verdict.text.size() + padding.size() + 2;
    const std::string why = FormatWhy(records[row]);
    out << line << Paint(verdict.text, verdict.tone, style_) << padding << "  "
        << (style_.width > used + 10 ? Ellipsize(why, style_.width - used) : why) << '\n';
  }
}

}  // namespace cordon::cp::cli
