// SPDX-License-Identifier: Apache-2.0
// The Internet checksum (RFC 1071), verified and never written.
//
// Sums are kept in the byte order of the machine, unfolded: the ones-complement sum of swapped
// words is the swapped sum, so nothing needs to be swapped to learn whether it is right.
#pragma once

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace cordon::dp {

// A partial sum. Room for 2^32 words: no frame comes near.
using ChecksumPart = uint64_t;

// A big-endian 16-bit field of a pseudo header, from its value.
constexpr ChecksumPart ChecksumOfField(uint16_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap16(value) : value;
}

// Sum of bytes that begin at an even offset of what is summed.
inline ChecksumPart ChecksumOf(std::span<const uint8_t> bytes) noexcept {
  const uint8_t* data = bytes.data();
  size_t size = bytes.size();
  ChecksumPart sum = 0;
#if defined(__AVX2__)
  if (size >= 128) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i low = zero, high = zero;
    for (; size >= 32; data += 32, size -= 32) {
      __m256i words;
      std::memcpy(&words, data, sizeof(words));
      low = _mm256_add_epi64(low, _mm256_unpacklo_epi32(words, zero));
      high = _mm256_add_epi64(high, _mm256_unpackhi_epi32(words, zero));
    }
    alignas(32) uint64_t lanes[4];
    const __m256i lane_sums = _mm256_add_epi64(low, high);
    std::memcpy(lanes, &lane_sums, sizeof(lanes));
    sum = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  }
#endif
  for (; size >= 8; data += 8, size -= 8) {
    uint64_t word;
    std::memcpy(&word, data, sizeof(word));
    sum += (word & 0xffffffff) + (word >> 32);
  }
  if ((size & 4) != 0) {
    uint32_t word;
    std::memcpy(&word, data, sizeof(word));
    sum += word;
    data += 4;
  }
  if ((size & 2) != 0) {
    uint16_t word;
    std::memcpy(&word, data, sizeof(word));
    sum += word;
    data += 2;
  }
  if ((size & 1) != 0) {
    const uint8_t last[2] = {*data, 0};
    uint16_t word;
    std::memcpy(&word, last, sizeof(word));
    sum += word;
  }
  return sum;
}

// 16 bits, in the byte order of the machine.
constexpr uint16_t FoldChecksum(ChecksumPart sum) noexcept {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>((sum & 0xffff) + (sum >> 16));
}

// What a part adds that begins at an odd offset.
constexpr ChecksumPart SwappedChecksum(ChecksumPart sum) noexcept {
  return __builtin_bswap16(FoldChecksum(sum));
}

// Whether a sum over everything, the checksum field included, says that nothing was changed: it
// folds to 0xffff. (A multiple of it, which takes one multiplication to see; 0 folds to 0.)
constexpr bool IsChecksumRight(ChecksumPart sum) noexcept { return sum % 0xffff == 0 && sum != 0; }

}  // namespace cordon::dp
