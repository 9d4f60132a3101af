// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/unit/dataplane/io/io_fixture.h"

namespace cordon::dp {
namespace {

using testing::IoTest;
using testing::MakePool;
using testing::Pool;

constexpr uint32_t kLongest = 9022;

uint16_t SumOfBigEndianWords(const std::vector<uint8_t>& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] << 8U : bytes[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

class ShowChainTest : public IoTest {
 protected:
  // A frame in buffers that hold the given numbers of its bytes.
  rte_mbuf* Make(const std::vector<uint16_t>& lengths) {
    rte_mbuf* first = nullptr;
    for (const uint16_t length : lengths) {
      rte_mbuf* segment = rte_pktmbuf_alloc(pool_.get());
      char* data = rte_pktmbuf_append(segment, length);
      for (uint16_t i = 0; i < length; ++i) {
        data[i] = static_cast<char>(bytes_.size() * 7 + 3);
        bytes_.push_back(static_cast<uint8_t>(data[i]));
      }
      if (first == nullptr) {
        first = segment;
      } else {
        rte_pktmbuf_chain(first, segment);
      }
    }
    return first;
  }
  std::vector<uint8_t> Content(const rte_mbuf* mbuf) {
    std::vector<uint8_t> copy(mbuf->pkt_len);
    const void* at = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, copy.data());
    if (at != copy.data()) std::copy_n(static_cast<const uint8_t*>(at), copy.size(), copy.data());
    return copy;
  }

  Pool pool_ = MakePool("chain", 64, 2048);
  std::vector<uint8_t> bytes_;
};

TEST_F(ShowChainTest, SumsUpWhatLiesBehindTheFirstBuffer) {
  for (const auto& lengths : std::vector<std::vector<uint16_t>>{
           {2048, 2048, 2048, 2048, 800}, {2048, 1}, {301, 299, 1, 77, 0, 5}}) {
    bytes_.clear();
    rte_mbuf* mbuf = Make(lengths);
    Frame frame;
    EXPECT_EQ(ShowChain(*mbuf, kLongest, frame), Reason::kUndecided);
    EXPECT_EQ(frame.bytes.size(), lengths[0]);
    EXPECT_EQ(frame.length, bytes_.size());
    EXPECT_EQ(frame.tail_sum, SumOfBigEndianWords({bytes_.begin() + lengths[0], bytes_.end()}));
    rte_pktmbuf_free(mbuf);
  }
}

// R053
TEST_F(ShowChainTest, BringsHeadersIntoTheFirstBufferWithoutChangingTheFrame) {
  rte_mbuf* mbuf = Make({20, 30, 10, 400});
  Frame frame;
  EXPECT_EQ(ShowChain(*mbuf, kLongest, frame), Reason::kUndecided);
  EXPECT_EQ(frame.bytes.size(), kHeadBytes);
  EXPECT_EQ(frame.length, 460U);
  EXPECT_EQ(Content(mbuf), bytes_);
  EXPECT_EQ(frame.tail_sum, SumOfBigEndianWords({bytes_.begin() + kHeadBytes, bytes_.end()}));
  EXPECT_EQ(rte_mbuf_check(mbuf, 1, nullptr), 0);
  rte_pktmbuf_free(mbuf);
  EXPECT_EQ(rte_mempool_in_use_count(pool_.get()), 0U);
}

TEST_F(ShowChainTest, ShortFrameInPiecesBecomesOne) {
  rte_mbuf* mbuf = Make({14, 20, 26});
  Frame frame;
  EXPECT_EQ(ShowChain(*mbuf, kLongest, frame), Reason::kUndecided);
  EXPECT_EQ(std::vector<uint8_t>(frame.bytes.begin(), frame.bytes.end()), bytes_);
  EXPECT_EQ(frame.tail_sum, 0);
  rte_pktmbuf_free(mbuf);
}

TEST_F(ShowChainTest, RefusesWhatMustNotLeaveInSeveralBuffers) {
  rte_mbuf* mbuf = Make({2048, 100});
  Frame frame;
  EXPECT_EQ(ShowChain(*mbuf, 0, frame), Reason::kFrameTooLong);
  EXPECT_EQ(ShowChain(*mbuf, 2147, frame), Reason::kFrameTooLong);
  EXPECT_EQ(ShowChain(*mbuf, 2148, frame), Reason::kUndecided);
  rte_pktmbuf_free(mbuf);
}

TEST_F(ShowChainTest, RefusesHeadersThatCannotBeJoined) {
  pool_ = MakePool("small", 8, 64);
  rte_mbuf* mbuf = Make({64, 64});
  Frame frame;
  EXPECT_EQ(ShowChain(*mbuf, kLongest, frame), Reason::kFrameScattered);
  rte_pktmbuf_free(mbuf);
}

}  // namespace
}  // namespace cordon::dp
