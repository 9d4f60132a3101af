// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/rows.h"

#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace cordon::dp {
namespace {

template <size_t Words>
void Pack(const std::vector<Row<Words>>& rows, std::vector<RowBlock<Words>>& blocks) {
  for (size_t first = 0; first < rows.size(); first += kLanes) {
    RowBlock<Words>& block = blocks.emplace_back();
    std::memset(&block, 0, sizeof(block));
    for (size_t lane = 0; lane < kLanes; ++lane) {
      if (first + lane >= rows.size()) {
        block.network[0][lane] = 1;  // no address is 1 under a mask of 0
        continue;
      }
      const Row<Words>& row = rows[first + lane];
      for (size_t word = 0; word < Words; ++word) {
        block.network[word][lane] = row.network[word];
        block.mask[word][lane] = row.mask[word];
      }
      block.ports_low[lane] = row.ports_low;
      block.ports_high[lane] = row.ports_high;
      block.protocol[lane] = row.protocol;
      block.rule[lane] = row.rule;
    }
  }
}

#if defined(__AVX2__)

__m256i Load(const uint32_t (&lanes)[kLanes]) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes));
}

// A port lies in its range if clamping it to the range leaves it as it is; both 16-bit halves of a
// lane are clamped at once.
template <size_t Words>
uint32_t Match(const RowBlock<Words>& block, const RowQuestion& question) {
  __m256i fits = _mm256_set1_epi32(-1);
  for (size_t word = 0; word < Words; ++word) {
    const __m256i peer = _mm256_set1_epi32(static_cast<int>(question.peer[word]));
    const __m256i masked = _mm256_and_si256(peer, Load(block.mask[word]));
    fits = _mm256_and_si256(fits, _mm256_cmpeq_epi32(masked, Load(block.network[word])));
  }
  // Rows of other peers are what there is most of: the rest of the block stays where it is.
  if (_mm256_testz_si256(fits, fits) != 0) return 0;
  const __m256i ports = _mm256_set1_epi32(static_cast<int>(question.ports));
  const __m256i clamped =
      _mm256_min_epu16(_mm256_max_epu16(ports, Load(block.ports_low)), Load(block.ports_high));
  const __m256i protocol = Load(block.protocol);
  const __m256i protocol_fits = _mm256_or_si256(
      _mm256_cmpeq_epi32(protocol, _mm256_set1_epi32(static_cast<int>(question.protocol))),
      _mm256_cmpeq_epi32(protocol, _mm256_setzero_si256()));
  fits =
      _mm256_and_si256(fits, _mm256_and_si256(_mm256_cmpeq_epi32(clamped, ports), protocol_fits));
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(fits)));
}

#else

bool InRange(uint32_t ports, uint32_t low, uint32_t high) {
  const uint32_t peer = ports >> 16, device = ports & 0xffff;
  return (peer >= low >> 16) & (peer <= high >> 16) & (device >= (low & 0xffff)) &
         (device <= (high & 0xffff));
}

template <size_t Words>
uint32_t Match(const RowBlock<Words>& block, const RowQuestion& question) {
  uint32_t matches = 0;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    bool fits = InRange(question.ports, block.ports_low[lane], block.ports_high[lane]) &
                ((block.protocol[lane] == 0) | (block.protocol[lane] == question.protocol));
    for (size_t word = 0; word < Words; ++word) {
      fits &= (question.peer[word] & block.mask[word][lane]) == block.network[word][lane];
    }
    matches |= static_cast<uint32_t>(fits) << lane;
  }
  return matches;
}

#endif

}  // namespace

void PackRows(const std::vector<RowV4>& rows, std::vector<BlockV4>& blocks) { Pack(rows, blocks); }
void PackRows(const std::vector<RowV6>& rows, std::vector<BlockV6>& blocks) { Pack(rows, blocks); }

uint32_t MatchBlock(const BlockV4& block, const RowQuestion& question) noexcept {
  return Match(block, question);
}
uint32_t MatchBlock(const BlockV6& block, const RowQuestion& question) noexcept {
  return Match(block, question);
}
uint32_t MatchPeers(const BlockV4& block, uint32_t peer) noexcept {
  uint32_t lanes = 0;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    const bool fits = (peer & block.mask[0][lane]) == block.network[0][lane];
    lanes |= static_cast<uint32_t>(fits) << lane;
  }
  return lanes;
}

}  // namespace cordon::dp
