// SPDX-License-Identifier: Apache-2.0
// Flow events of the workers -> flow records for people and the controller: names resolved, times
// on the wall clock, equal ones summed up, bounded.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "cordon/v1/flow.pb.h"
#include "dataplane/policy/table.h"
#include "dataplane/telemetry/event.h"

namespace cordon::dp {

// What an event's numbers mean.
struct EventNames {
  const PolicyTable* table = nullptr;               // of the event's stamp; null if it is gone
  const std::vector<std::string>* pairs = nullptr;  // by pair number
  std::chrono::system_clock::time_point wall;       // now, on both clocks
  uint64_t gateway_ns = 0;
};

v1::FlowRecord ToRecord(const FlowEvent& event, const EventNames& names);

// Events with equal keys are one record: same device, initiator, protocol, listening port, peer,
// verdict, reason and policy. The port of the side that does not listen is not part of it.
std::string AggregationKey(const FlowEvent& event);

// Records summed up by key, oldest first, at most `capacity`. Not thread-safe.
class RecordMap {
 public:
  explicit RecordMap(size_t capacity) : capacity_(capacity) {}

  // Adds the event; what had to make room is counted in lost().
  void Add(const FlowEvent& event, const EventNames& names);
  // Adds records that were taken and could not be delivered, as the oldest.
  void Return(const v1::FlowRecord& record);
  // Moves up to `most` records, oldest first, to the end of `to`.
  void Take(size_t most, google::protobuf::RepeatedPtrField<v1::FlowRecord>& to);
  size_t size() const { return records_.size(); }
  uint64_t lost() const { return lost_; }  // events whose record was dropped

 private:
  struct Entry {
    std::string key;  // empty: returned, takes no more events
    v1::FlowRecord record;
  };
  void MakeRoom();

  const size_t capacity_;
  std::list<Entry> records_;
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
  uint64_t lost_ = 0;
};

}  // namespace cordon::dp
