// SPDX-License-Identifier: Apache-2.0
#include "tests/support/differential.h"

#include <cstdio>

#include "tests/support/oracle_frame.h"
#include "tests/support/parse_check.h"

namespace cordon::dp::testing {
namespace {

constexpr TimePoint kAdoptUntil = 20 * kSecond;

std::string Hex(const Bytes& bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

std::string Describe(const OracleAnswer& answer) {
  return std::string(ToString(answer.verdict)) + "/" + std::string(ToString(answer.reason)) + "/" +
         answer.rule + "/" + answer.device;
}

std::string Describe(const Packet& packet) {
  return ToString(packet.source_mac) + " > " + ToString(packet.destination_mac) + " vlan " +
         ToString(packet.vlan) + " " + ToString(packet.source) + ":" +
         std::to_string(packet.source_port) + " > " + ToString(packet.destination) + ":" +
         std::to_string(packet.destination_port) + " protocol " + std::to_string(packet.protocol) +
         " flags " + std::to_string(packet.tcp_flags) + " icmp " + std::to_string(packet.icmp_type);
}

// Pieces of datagrams are compared with the model of them (fuzz_fragment).
bool IsPiece(const Bytes& frame) {
  Packet packet;
  ParseFrame(View(frame), packet);
  return packet.is_fragment;
}

// What only the guards ask for. The oracle judges it, but does not read it again.
void TakeGuardFacts(const Packet& packet, Packet& facts) {
  facts.guard = packet.guard;
  facts.l2_kind = packet.l2_kind;
  facts.has_router_alert = packet.has_router_alert;
  if (packet.guard == GuardKind::kDhcp) facts.dhcp = packet.dhcp;
}

}  // namespace

Differential::Differential(Dice dice, const Options& options, Tally& tally)
    : dice_(dice),
      options_(options),
      tally_(tally),
      // Every flow is swept as soon as the clock has moved, so that the oracle knows when.
      gateway_({.adopt_until = kAdoptUntil, .sweep_round = 1}, options.flow_capacity),
      oracle_(kAdoptUntil, options.flow_capacity),
      traffic_(dice_, spec_) {}

void Differential::MaybeSwapPolicy() {
  if (bursts_ != 3 && (bursts_ < 3 || dice_.Below(100) != 0)) return;
  PolicySpec next = RandomPolicy(dice_, ++generation_);
  // Often only the rules change, so that flows live on.
  if (generation_ > 1 && dice_.Percent(70)) next.devices = spec_.devices;
  spec_ = next;
  gateway_.Enforce(spec_, {.now = kUnixTime});
  oracle_.SetPolicy(spec_, kUnixTime);
  ++tally_.policies;
}

void Differential::Compare(const Bytes& frame, Side side, uint16_t pair, const Decision& decision) {
  Packet packet;
  ParseFrame(View(frame), packet);
  OracleFrame read = ReadFrame(frame);
  const std::string misread = DifferenceOf(packet, read);
  if (!misread.empty() && difference_.empty()) {
    difference_ = "parser: " + misread + "; frame " + Hex(frame);
  }
  read.facts.reason = packet.reason;                                      // one of those that apply
  read.facts.anomalies |= packet.anomalies & MaskOf(Check::kDhcpOption);  // see parse_check.cc
  TakeGuardFacts(packet, read.facts);
  const OracleAnswer expected = oracle_.Decide(read.facts, side, pair, gateway_.now());
  const OracleAnswer actual{decision.verdict, decision.reason, gateway_.RuleOf(decision),
                            gateway_.DeviceOf(decision)};
  ++tally_.frames;
  ++tally_.reasons[actual.reason];
  ++tally_.verdicts[actual.verdict];
  if (actual == expected || !difference_.empty()) return;
  difference_ = "burst " + std::to_string(bursts_) + ", from the " + std::string(ToString(side)) +
                " side of pair " + std::to_string(pair) + ": gateway " + Describe(actual) +
                ", oracle " + Describe(expected) + "; " + Describe(packet) + "; frame " +
                Hex(frame);
}

void Differential::Step() {
  MaybeSwapPolicy();
  const Side side = dice_.Percent(50) ? Side::kDevice : Side::kNetwork;
  const auto pair = static_cast<uint16_t>(dice_.Below(2));
  std::vector<Bytes> frames;
  for (size_t i = dice_.Below(options_.burst + 1); i > 0; --i) {
    const bool repeat = !frames.empty() && dice_.Percent(15);
    frames.push_back(repeat ? frames[dice_.Below(frames.size())] : traffic_.Next(side, pair));
  }
  std::erase_if(frames, IsPiece);
  const std::vector<Decision> decisions = gateway_.SendBurst(side, frames, pair);
  for (size_t i = 0; i < frames.size(); ++i) Compare(frames[i], side, pair, decisions[i]);
  if (gateway_.now() != swept_) {
    swept_ = gateway_.now();
    oracle_.Sweep(swept_);
  }
  ++bursts_;
  if (!options_.time_passes) return;
  gateway_.Advance(dice_.Below(20) * kMillisecond);
  if (dice_.Below(50) == 0) gateway_.Advance(dice_.Below(100) * kSecond);
}

}  // namespace cordon::dp::testing
