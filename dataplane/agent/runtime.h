// SPDX-License-Identifier: Apache-2.0
// What the agent is shown of the running gateway: plain structs and callbacks, so that the agent
// and io/ meet in app/ without including each other.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/packet/packet.h"
#include "dataplane/policy/slot.h"
#include "dataplane/telemetry/counters.h"
#include "dataplane/telemetry/event.h"
#include "dataplane/telemetry/flow_mailbox.h"

namespace cordon::dp {

// One NIC port now. Counters since start.
struct PortSample {
  std::string pair;
  Side side = Side::kDevice;
  std::string name;  // DPDK name
  std::string driver;
  bool present = true;  // false: the interface or NIC has gone
  bool link_up = false;
  bool link_held_down = false;  // because the other port of the pair has no link
  uint64_t link_changes = 0;
  uint64_t received_frames = 0;
  uint64_t transmitted_frames = 0;
  uint64_t receive_missed = 0;  // the queue was full
  uint64_t receive_no_buffer = 0;
  uint64_t receive_errors = 0;
  uint64_t transmit_errors = 0;
};

// A pool of frame buffers now.
struct PoolSample {
  std::string name;
  uint64_t size = 0;
  uint64_t available = 0;
};

struct WorkerInfo {
  uint32_t cpu = 0;
  std::vector<std::string> pairs;
  const WorkerCounters* counters = nullptr;
  EventRing* events = nullptr;          // the agent is its consumer
  FlowMailbox* flow_mailbox = nullptr;  // the agent asks; null: the worker takes no questions
};

// Everything referred to must outlive the agent.
struct GatewayRuntime {
  std::string gateway;  // name from gateway.yaml
  std::string software_version;
  std::vector<std::string> pairs;  // wired pairs; pair number = position
  PolicySlot* slot = nullptr;
  std::vector<WorkerInfo> workers;  // worker id = position
  // Called on agent and HTTP threads, at most some times a second.
  std::function<std::vector<PortSample>()> ports;
  std::function<std::vector<PoolSample>()> pools;
  // Gateway time, the clock of FlowEvent::first_seen_ns.
  std::function<uint64_t()> now_ns;
};

}  // namespace cordon::dp
