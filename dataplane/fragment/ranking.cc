// SPDX-License-Identifier: Apache-2.0
#include "dataplane/fragment/ranking.h"

#include <algorithm>

namespace cordon::dp {

Ranking::Ranking(size_t members, size_t highest)
    : members_(members), heads_(highest + 1, kNobody) {}

void Ranking::Move(uint16_t member, size_t count) noexcept {
  Member& moved = members_[member];
  if (moved.count != 0) {
    (moved.previous == kNobody ? heads_[moved.count] : members_[moved.previous].next) = moved.next;
    if (moved.next != kNobody) members_[moved.next].previous = moved.previous;
  }
  moved = {static_cast<uint16_t>(count), kNobody, kNobody};
  if (count != 0) {
    moved.next = heads_[count];
    if (moved.next != kNobody) members_[moved.next].previous = member;
    heads_[count] = member;
  }
  top_ = std::max(top_, count);
  while (top_ != 0 && heads_[top_] == kNobody) --top_;  // at most one step: counts move by one
}

}  // namespace cordon::dp
