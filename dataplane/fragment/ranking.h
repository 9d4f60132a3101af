// SPDX-License-Identifier: Apache-2.0
// Who has most: a count for each member, and at any time one of those with the highest count. Every
// operation costs the same few steps, however many members there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cordon::dp {

class Ranking {
 public:
  static constexpr uint16_t kNobody = 0xffff;

  // Members 0 to members-1, all with the count 0; no count goes beyond `highest`.
  Ranking(size_t members, size_t highest);

  uint16_t CountOf(uint16_t member) const noexcept { return members_[member].count; }
  void Raise(uint16_t member) noexcept { Move(member, members_[member].count + 1u); }
  void Lower(uint16_t member) noexcept { Move(member, members_[member].count - 1u); }
  // kNobody if all counts are 0.
  uint16_t Highest() const noexcept { return top_ == 0 ? kNobody : heads_[top_]; }

 private:
  struct Member {
    uint16_t count = 0;
    uint16_t next = kNobody;  // of those with the same count
    uint16_t previous = kNobody;
  };
  void Move(uint16_t member, size_t count) noexcept;

  std::vector<Member> members_;
  std::vector<uint16_t> heads_;  // by count; nobody is listed under 0
  size_t top_ = 0;               // highest count of all
};

}  // namespace cordon::dp
