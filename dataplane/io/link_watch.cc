// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/link_watch.h"

#include <spdlog/spdlog.h>

#include <string_view>
#include <utility>

#include "dataplane/io/port.h"

namespace cordon::dp {
namespace {

constexpr std::array kSides{Side::kDevice, Side::kNetwork};

std::string_view Sentence(Link link) {
  switch (link) {
    case Link::kUp:
      return "link is up";
    case Link::kDown:
      return "link is down";
    case Link::kGone:
      break;
  }
  return "port has gone: its pair carries nothing until the port is back and the gateway restarted";
}

}  // namespace

LinkWatch::LinkWatch(std::vector<Pair> pairs) {
  const auto now = std::chrono::steady_clock::now();
  for (Pair& pair : pairs) pairs_.push_back(std::make_unique<Watched>(std::move(pair), now));
  for (const auto& watched : pairs_) Look(*watched);
  thread_ = std::thread([this] { Run(); });
}

LinkWatch::~LinkWatch() {
  stop_.store(true, std::memory_order_relaxed);
  thread_.join();
  for (const auto& watched : pairs_) {
    if (const auto side = watched->propagation.held_down()) BringUp(*watched, *side);
  }
}

void LinkWatch::Run() {
  while (!stop_.load(std::memory_order_relaxed)) {
    const auto now = std::chrono::steady_clock::now();
    for (const auto& watched : pairs_) {
      Look(*watched);
      if (watched->pair.propagate) Carry(*watched, now);
    }
    std::this_thread::sleep_until(now + kInterval);
  }
}

void LinkWatch::Look(Watched& watched) {
  for (const Side side : kSides) {
    const auto index = static_cast<size_t>(side);
    PortState& state = watched.states[index];
    const Link link = watched.pair.ports[index]->ReadLink();
    const Link before = state.link.exchange(link, std::memory_order_relaxed);
    if (link == before || watched.first_look) continue;
    state.changes.fetch_add(1, std::memory_order_relaxed);
    spdlog::log(link == Link::kUp ? spdlog::level::info : spdlog::level::warn,
                "pair {}, {} side: {}", watched.pair.name, ToString(side), Sentence(link));
  }
  watched.first_look = false;
}

void LinkWatch::Carry(Watched& watched, LinkPropagation::TimePoint now) {
  std::array<bool, kSideCount> up{};
  for (size_t side = 0; side < kSideCount; ++side) {
    up[side] = watched.states[side].link.load(std::memory_order_relaxed) == Link::kUp;
  }
  const auto [action, side] = watched.propagation.Next(up, now);
  if (action == LinkPropagation::Action::kBringUp) BringUp(watched, side);
  if (action != LinkPropagation::Action::kTakeDown) return;
  const bool done = watched.pair.ports[static_cast<size_t>(side)]->SetLink(Link::kDown);
  watched.states[static_cast<size_t>(side)].held_down.store(true, std::memory_order_relaxed);
  spdlog::warn("pair {}, {} side: {} because the other side has no link", watched.pair.name,
               ToString(side), done ? "taken down" : "cannot be taken down");
}

void LinkWatch::BringUp(Watched& watched, Side side) {
  const bool done = watched.pair.ports[static_cast<size_t>(side)]->SetLink(Link::kUp);
  watched.states[static_cast<size_t>(side)].held_down.store(false, std::memory_order_relaxed);
  spdlog::info("pair {}, {} side: {}", watched.pair.name, ToString(side),
               done ? "brought up again" : "cannot be brought up again");
}

LinkStatistics LinkWatch::Of(size_t pair, Side side) const {
  const PortState& state = pairs_[pair]->states[static_cast<size_t>(side)];
  return {state.link.load(std::memory_order_relaxed),
          state.held_down.load(std::memory_order_relaxed),
          state.changes.load(std::memory_order_relaxed)};
}

}  // namespace cordon::dp
