// SPDX-License-Identifier: Apache-2.0
// FragmentTable on arbitrary pieces, against the model that keeps a map of bytes; and a table with
// hardly any room, which must keep its limits, and every frame that it holds must come back once.
//
// Six bytes of input are one step: what, whose, offset, length, bytes, time.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "tests/support/fragment_model.h"

namespace cordon::dp::testing {
namespace {

constexpr HashSeed kSeed = {{1, 2, 3, 4, 5, 6}};
constexpr FragmentLimits kSmall{
    .datagrams = 6, .datagrams_per_holder = 3, .held = 8, .held_per_holder = 4};
constexpr size_t kStepBytes = 6;
constexpr size_t kMaxSteps = 400;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz_fragment: broken: %s\n", what);
  std::abort();
}

struct Step {
  DatagramKey key;
  uint64_t holder = 0;
  Piece piece;
  bool passes = false;  // if it is a first piece
  uint64_t wait = 0;    // before it
};

Step ReadStep(std::span<const uint8_t, kStepBytes> bytes) {
  Step step;
  step.passes = (bytes[0] & 3) != 0;
  step.piece.more = (bytes[0] & 4) != 0;
  step.key.id = bytes[1] & 7;
  step.key.side = (bytes[1] & 8) != 0 ? Side::kNetwork : Side::kDevice;
  step.key.vlan.outer = bytes[1] >> 4 & 1;
  step.holder = bytes[1] >> 5;
  const bool is_far = (bytes[0] & 8) != 0;
  step.piece.offset = static_cast<uint16_t>(bytes[2] * (is_far ? 256u : 8u));
  step.piece.length = static_cast<uint16_t>(step.piece.more ? bytes[3] / 8 * 8 : bytes[3]);
  step.piece.digest = bytes[4] & 1;
  step.wait = bytes[5] < 240 ? bytes[5] : (bytes[5] - 239u) * 1'000'000'000;
  return step;
}

// A table of one worker, each step in a burst of its own, as the pipeline uses it.
class Tracked {
 public:
  explicit Tracked(const FragmentLimits& limits) : limits_(limits), table_(limits, kSeed) {}

  void Start(uint64_t now) {
    table_.StartBurst(now);
    Collect();
  }
  FragmentModel::Answer Place(const Step& step, uint64_t frame, uint64_t now) {
    const Placement placed = table_.Place(step.key, step.holder, step.piece, now);
    Collect();
    if (placed.fate == Fate::kWait) return Hold(placed.datagram, frame);
    if (placed.fate == Fate::kJudge && step.passes) table_.Pass(placed.datagram);
    if (placed.fate == Fate::kJudge && !step.passes) {
      table_.Refuse(placed.datagram, Reason::kFragmentRefused);
    }
    Collect();
    return {placed.fate, placed.reason};
  }
  std::vector<FragmentModel::Freed> TakeFreed() { return std::exchange(freed_, {}); }
  const FragmentTable& table() const { return table_; }
  size_t waiting() const { return waiting_.size(); }

 private:
  FragmentModel::Answer Hold(DatagramIndex datagram, uint64_t frame) {
    const HoldTicket ticket = table_.Hold(datagram);
    const bool is_held = ticket != kNoTicket;
    Require(!is_held || ticket < table_.tickets(), "ticket out of range");
    Require(!is_held || waiting_.emplace(ticket, frame).second, "ticket given out twice");
    Collect();
    if (!is_held) return {Fate::kRefuse, Reason::kFragmentDeviceQuota};
    return {Fate::kWait, Reason::kUndecided};
  }
  void Collect() {
    for (const FreedFrame& freed : table_.freed()) {
      const auto at = waiting_.find(freed.ticket);
      Require(at != waiting_.end(), "freed what was not held");
      freed_.push_back({at->second, freed.reason});
      waiting_.erase(at);
    }
    table_.ClearFreed();
    Require(table_.held() == waiting_.size(), "count of held frames");
    Require(table_.held() <= limits_.held && table_.open() <= limits_.datagrams, "limits");
  }

  const FragmentLimits limits_;
  FragmentTable table_;
  std::map<HoldTicket, uint64_t> waiting_;  // frames by ticket
  std::vector<FragmentModel::Freed> freed_;
};

// Those that time out first, by number: whose datagram goes first is left open.
std::vector<FragmentModel::Freed> Sorted(std::vector<FragmentModel::Freed> freed) {
  const auto is_late = [](const FragmentModel::Freed& frame) {
    return frame.reason == Reason::kFragmentTimeout;
  };
  const auto rest = std::stable_partition(freed.begin(), freed.end(), is_late);
  std::sort(freed.begin(), rest, [](const auto& a, const auto& b) { return a.frame < b.frame; });
  return freed;
}

void AgreesWithModel(const Step& step, uint64_t frame, uint64_t now, Tracked& roomy,
                     FragmentModel& model) {
  for (int i = 0; i < 4; ++i) roomy.Start(now);  // all that are old, of at most 32
  const FragmentModel::Answer answer = roomy.Place(step, frame, now);
  const FragmentModel::Answer expected = model.Place(step.key, step.piece, now);
  Require(answer.fate == expected.fate && answer.reason == expected.reason, "answers differ");
  if (expected.fate == Fate::kWait) model.Wait(step.key, frame);
  if (expected.fate == Fate::kJudge && step.passes) model.Pass(step.key);
  if (expected.fate == Fate::kJudge && !step.passes) {
    model.Refuse(step.key, Reason::kFragmentRefused);
  }
  Require(Sorted(roomy.TakeFreed()) == Sorted(model.TakeFreed()), "freed frames differ");
  Require(roomy.table().open() == model.open(), "open datagrams differ");
}

}  // namespace

void Run(const uint8_t* data, size_t size) {
  Tracked roomy({});
  Tracked tight(kSmall);
  FragmentModel model;
  std::set<uint64_t> freed;
  uint64_t now = 1'000'000'000;
  const size_t steps = std::min(kMaxSteps, size / kStepBytes);
  for (uint64_t frame = 0; frame < steps; ++frame) {
    const Step step =
        ReadStep(std::span<const uint8_t, kStepBytes>(data + frame * kStepBytes, kStepBytes));
    if (CheckPiece(step.piece, protocol::kUdp, Layer3::kIpv4) != Reason::kUndecided) continue;
    now += step.wait;
    AgreesWithModel(step, frame, now, roomy, model);
    tight.Start(now);
    tight.Place(step, frame, now);
  }
  for (int i = 0; i < 100 && tight.waiting() != 0; ++i) tight.Start(now + 2 * kFragmentTimeout);
  Require(tight.waiting() == 0, "frames that never come back");
  for (const FragmentModel::Freed& frame : tight.TakeFreed()) {
    Require(freed.insert(frame.frame).second, "a frame that comes back twice");
  }
}

}  // namespace cordon::dp::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cordon::dp::testing::Run(data, size);
  return 0;
}
