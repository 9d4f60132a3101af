// SPDX-License-Identifier: Apache-2.0
// The only proto <-> domain translation of the controller. Names are those of the domain; what is
// read from a client is checked here, and every fault is reported with its field path.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "controlplane/engine/engine.h"
#include "cordon/v1/flow.pb.h"
#include "cordon/v1/gateway_control.pb.h"
#include "cordon/v1/inventory_service.pb.h"
#include "cordon/v1/policy_service.pb.h"
#include "cordon/v1/policy_set.pb.h"
#include "cordon/v1/resources.pb.h"

namespace cordon::cp {

// --- convert.cc: values that several messages share
google::protobuf::Timestamp ToProto(std::chrono::system_clock::time_point time);
google::protobuf::Duration ToProto(std::chrono::nanoseconds duration);
// The epoch for an absent or invalid one.
std::chrono::system_clock::time_point FromProto(const google::protobuf::Timestamp& time);
void ToProto(dp::VlanTags vlan, v1::Vlan& proto);
void ToProto(const std::vector<dp::PortRange>& ranges,
             google::protobuf::RepeatedPtrField<v1::PortRange>& proto);
// Whole seconds since 1970.
google::protobuf::Timestamp InstantToProto(int64_t unix_seconds);
v1::Initiator ToProto(RuleInitiator initiator);
v1::Initiator ToProto(dp::Initiator initiator);
v1::Protocol ToProto(RuleProtocol protocol);
v1::Protocol ToProto(dp::RuleProtocol protocol);
v1::Mode ToProto(DeviceMode mode);
v1::Mode ToProto(dp::Mode mode);
v1::Verdict ToProto(dp::Verdict verdict);
void ToProto(const std::vector<InputFault>& faults,
             google::protobuf::RepeatedPtrField<v1::Fault>& proto);
std::vector<InputFault> FromProto(const google::protobuf::RepeatedPtrField<v1::Fault>& proto);

// --- convert_policy_set.cc
v1::PolicySet ToProto(const PolicySet& set);

// --- convert_resources.cc
v1::Device ToProto(const Snapshot& snapshot, const Device& device);
v1::Profile ToProto(const Snapshot& snapshot, const Profile& profile);
v1::ProfileRule ToProto(const ProfileRule& rule);
v1::Peer ToProto(const Snapshot& snapshot, const Peer& peer);
v1::Overlay ToProto(const Snapshot& snapshot, const Overlay& overlay);
v1::Gateway ToProto(const Snapshot& snapshot, const GatewayConfig& gateway,
                    const GatewayStatus& status);
v1::Generation ToProto(const GenerationRecord& record);
v1::ApplyResponse ToProto(const ChangeResult& result);
v1::DiffResponse ToDiffProto(const ChangeResult& result);
v1::ImportDevicesResponse ToProto(const ImportResult& result);
v1::ExplainResponse ToProto(const ExplainResult& result);
v1::ProposeResponse ToProto(const Proposal& proposal);

// --- convert_flow.cc
void ToProto(const FlowRecord& record, v1::FlowRecord& proto);
// Every field is checked; a record with a fault is left out and reported as "PATH.FIELD".
std::optional<FlowRecord> FromProto(const v1::FlowRecord& proto, const std::string& path,
                                    std::vector<InputFault>& faults);
// What is asked; faults are field names of ExplainRequest.
Question FromProto(const v1::ExplainRequest& request, std::vector<InputFault>& faults);

}  // namespace cordon::cp
