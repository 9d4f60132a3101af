// SPDX-License-Identifier: Apache-2.0
// Reading frame bytes so that bounds cannot be forgotten. Only the parser includes this.
//
// A Reader hands out a HeaderView<N> only after it has checked that N bytes are there; a HeaderView
// takes its offsets as template arguments, so reading past N does not compile. Nothing else in the
// project touches frame bytes, and nothing casts them.
//
//   const auto udp = reader.Take<8>();
//   if (!udp) return Reason::kUdpTruncated;
//   packet.source_port = udp->U16<0>();
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "dataplane/packet/address.h"
#include "dataplane/packet/checksum.h"

namespace cordon::dp {

// N bytes that are known to exist, read as big-endian integers. Costs a load and a byte swap each.
template <size_t N>
class HeaderView {
 public:
  template <size_t kOffset>
  uint8_t U8() const {
    static_assert(kOffset < N);
    return data_[kOffset];
  }
  template <size_t kOffset>
  uint16_t U16() const {
    static_assert(kOffset + 2 <= N);
    uint16_t value;
    std::memcpy(&value, data_ + kOffset, sizeof(value));
    return std::endian::native == std::endian::little ? __builtin_bswap16(value) : value;
  }
  template <size_t kOffset>
  uint32_t U32() const {
    static_assert(kOffset + 4 <= N);
    uint32_t value;
    std::memcpy(&value, data_ + kOffset, sizeof(value));
    return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
  }
  template <size_t kOffset>
  uint64_t U64() const {
    static_assert(kOffset + 8 <= N);
    uint64_t value;
    std::memcpy(&value, data_ + kOffset, sizeof(value));
    return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
  }
  template <size_t kOffset>
  MacAddress Mac() const {
    static_assert(kOffset + 6 <= N);
    if constexpr (kOffset + 8 <= N) {
      return {U64<kOffset>() >> 16};
    } else {
      return {static_cast<uint64_t>(U16<kOffset>()) << 32 | U32<kOffset + 2>()};
    }
  }
  template <size_t kOffset>
  IpAddress V4() const {
    return IpAddress::V4(U32<kOffset>());
  }
  template <size_t kOffset>
  IpAddress V6() const {
    return IpAddress::V6(U64<kOffset>(), U64<kOffset + 8>());
  }
  template <size_t kOffset, size_t kCount>
  ChecksumPart Sum() const {
    static_assert(kOffset + kCount <= N && kOffset % 2 == 0);
    return ChecksumOf(std::span(data_ + kOffset, kCount));
  }

 private:
  friend class Reader;
  explicit HeaderView(const uint8_t* data) : data_(data) {}
  const uint8_t* data_;
};

// A position in a frame. `remaining` bytes follow it by the lengths found so far, of which the
// first `readable` are contiguous in memory; readable <= remaining always.
class Reader {
 public:
  Reader(std::span<const uint8_t> bytes, size_t length)
      : data_(bytes.data()), readable_(bytes.size()), remaining_(std::max(length, bytes.size())) {}

  size_t remaining() const { return remaining_; }
  size_t readable() const { return readable_; }
  ChecksumPart SumOfReadable() const { return ChecksumOf(std::span(data_, readable_)); }

  template <size_t N>
  std::optional<HeaderView<N>> Peek() const {
    if (readable_ < N) return std::nullopt;
    return HeaderView<N>(data_);
  }

  template <size_t N>
  std::optional<HeaderView<N>> Take() {
    const auto view = Peek<N>();
    if (view) Advance(N);
    return view;
  }

  // Tells different bytes apart, though not if somebody makes them look alike. Of the bytes that
  // remain, as far as they are readable; about 2 cycles for 8 bytes.
  uint32_t Digest() const {
    constexpr size_t kWord = sizeof(uint64_t);
    uint64_t digest = remaining_;
    const uint8_t* data = data_;
    for (size_t left = readable_; left != 0;) {
      const size_t size = std::min(left, kWord);
      uint64_t word = 0;
      std::memcpy(&word, data, size);
      digest = std::rotl(digest, 5) ^ word;
      data += size;
      left -= size;
    }
    return static_cast<uint32_t>(digest * 0x9e3779b97f4a7c15ULL >> 32);
  }

  // Moves on; false, without moving, if fewer bytes are readable.
  bool Skip(size_t count) {
    if (count > readable_) return false;
    Advance(count);
    return true;
  }

  // Splits off the next `count` bytes as a reader of their own.
  std::optional<Reader> Split(size_t count) {
    if (count > readable_) return std::nullopt;
    const Reader part(std::span(data_, count), count);
    Advance(count);
    return part;
  }

  // The next `count` bytes, for sums over them.
  std::optional<std::span<const uint8_t>> Bytes(size_t count) const {
    if (count > readable_) return std::nullopt;
    return std::span(data_, count);
  }

  // What lies behind the next `count` bytes is padding and no longer counts; false if there are
  // fewer bytes than that.
  bool Truncate(size_t count) {
    if (count > remaining_) return false;
    remaining_ = count;
    readable_ = std::min(readable_, count);
    return true;
  }

 private:
  void Advance(size_t count) {
    data_ += count;
    readable_ -= count;
    remaining_ -= count;
  }

  const uint8_t* data_;
  size_t readable_;
  size_t remaining_;
};

}  // namespace cordon::dp
