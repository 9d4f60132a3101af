// SPDX-License-Identifier: Apache-2.0
// Watches the links of all ports on a thread of its own, and carries a lost link to the other port
// of its pair where that is wanted. Workers are not involved: a port without a link just has no
// frames and takes none.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/io/interface.h"
#include "dataplane/io/link_propagation.h"
#include "dataplane/packet/packet.h"

namespace cordon::dp {

class Port;

struct LinkStatistics {
  Link link = Link::kDown;
  bool held_down = false;  // because the other port of the pair has no link
  uint64_t changes = 0;
};

class LinkWatch {
 public:
  struct Pair {
    std::string name;
    std::array<Port*, kSideCount> ports{};  // by Side
    bool propagate = false;
  };

  // Every kInterval: a lost link reaches the other port well within 100 ms.
  static constexpr std::chrono::milliseconds kInterval{20};

  // The ports must outlive it.
  explicit LinkWatch(std::vector<Pair> pairs);
  // Brings up what it holds down.
  ~LinkWatch();
  LinkWatch(const LinkWatch&) = delete;
  LinkWatch& operator=(const LinkWatch&) = delete;

  // Any thread.
  LinkStatistics Of(size_t pair, Side side) const;

 private:
  struct PortState {  // written by the thread, read by any
    std::atomic<Link> link{Link::kDown};
    std::atomic<bool> held_down{false};
    std::atomic<uint64_t> changes{0};
  };
  struct Watched {
    Watched(Pair pair_in, LinkPropagation::TimePoint now)
        : pair(std::move(pair_in)), propagation(now) {}
    const Pair pair;
    LinkPropagation propagation;
    bool first_look = true;
    std::array<PortState, kSideCount> states;
  };

  void Run();
  static void Look(Watched& watched);
  static void Carry(Watched& watched, LinkPropagation::TimePoint now);
  static void BringUp(Watched& watched, Side side);

  std::vector<std::unique_ptr<Watched>> pairs_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace cordon::dp
