// SPDX-License-Identifier: Apache-2.0
// Pieces of messages as people read them, shared by several nouns. Pure.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/map.h>
#include <google/protobuf/repeated_ptr_field.h>
#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <string>
#include <vector>

#include "controlplane/cli/context.h"
#include "controlplane/cli/table.h"
#include "cordon/v1/policy_service.pb.h"
#include "cordon/v1/resources.pb.h"

namespace cordon::cp::cli {

Clock::time_point ToTimePoint(const google::protobuf::Timestamp& time);
std::chrono::nanoseconds ToChrono(const google::protobuf::Duration& duration);

// "3 min ago"; "" if the message has no such time.
template <typename Message>
std::string Ago(const Message& message, bool (Message::*has)() const,
                const google::protobuf::Timestamp& (Message::*get)() const, Clock::time_point now) {
  return (message.*has)() ? FormatAgo(ToTimePoint((message.*get)()), now) : std::string();
}

std::vector<std::string> ToStrings(const google::protobuf::RepeatedPtrField<std::string>& texts);

// "a", or "a +2" if there are more than one; "" for none.
std::string FirstOf(const google::protobuf::RepeatedPtrField<std::string>& texts);

// "30", "100.30" for two tags.
std::string FormatVlan(const v1::Vlan& vlan);

Cell ModeCell(v1::Mode mode);
Cell VerdictCell(v1::Verdict verdict);
Cell GatewayStateCell(v1::GatewayState state);

// "tcp/104,11112" by the L4 ports of the side that listens; "udp/67 from 68".
std::string FormatService(const v1::ProfileRule& rule);
// "tcp/445": what an overlay denies.
std::string FormatService(const v1::OverlayEntry& rule);
// What is set beside rules, one row each, in order of name: "limits.max_flows", "64".
void PrintKnobs(const google::protobuf::Map<std::string, std::string>& knobs, std::ostream& out,
                const Style& style);
// "-> pacs-archive" for what the device opens, "<- any" for what peers open.
std::string FormatPeer(const v1::ProfileRule& rule);
// One row a rule: what, with whom, why.
Table RuleTable(const v1::Profile& profile);

// Each fault on a line of its own, on stderr, indented.
void PrintFaults(Context& context, const google::protobuf::RepeatedPtrField<v1::Fault>& faults);
void PrintWarnings(Context& context, const google::protobuf::RepeatedPtrField<v1::Fault>& warnings);

// "+ Device ct-2", "~ Profile ct-scanner" and its details; at most `limit` of them, and how many
// more.
void PrintChanges(const google::protobuf::RepeatedPtrField<v1::ResourceChange>& changes,
                  size_t limit, std::ostream& out, const Style& style);

// "2 added, 1 changed".
std::string CountChanges(const google::protobuf::RepeatedPtrField<v1::ResourceChange>& changes);

}  // namespace cordon::cp::cli
