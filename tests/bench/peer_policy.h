// SPDX-License-Identifier: Apache-2.0
// A model's policy in the languages of those who are compared. All say the same: a device may send
// from its own MAC and IP address what one of its rules names, and nothing else; with tracking, the
// network side may answer and nothing else.
#pragma once

#include <ostream>

#include "tests/bench/model.h"

namespace cordon::bench {

enum class Tracking { kOff, kOn };  // without tracking, all frames toward the devices pass

// Cordon documents: one profile a device.
void WriteDocuments(std::ostream& out, const Model& model, WhichRules which);
// Open vSwitch, port 1 toward the devices, port 2 toward the network; for ovs-ofctl add-flows.
void WriteOpenFlow(std::ostream& out, const Model& model, Tracking tracking);
// nftables, one hash set a shape of rule: the fastest of the ways to say it that were tried. The
// port toward the network is called bench-net. Tracking needs br_netfilter.
void WriteNftables(std::ostream& out, const Model& model, Tracking tracking);

}  // namespace cordon::bench
