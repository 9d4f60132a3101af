// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/held_frames.h"

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "tests/unit/dataplane/io/io_fixture.h"

namespace cordon::dp {
namespace {

using namespace cordon::dp::testing;  // NOLINT(google-build-using-namespace)

TEST_F(IoTest, HeldFramesThatNobodyTookAreFreedAtTheEnd) {
  // R042
  const Pool pool = MakePool("held", 7, 256);
  {
    HeldFrames held(4);
    held.Keep(0, rte_pktmbuf_alloc(pool.get()));
    held.Keep(3, rte_pktmbuf_alloc(pool.get()));
    rte_mbuf* taken = held.Take(0);
    EXPECT_EQ(rte_mempool_avail_count(pool.get()), 5U);
    rte_pktmbuf_free(taken);
  }
  EXPECT_EQ(rte_mempool_avail_count(pool.get()), 7U);
}

}  // namespace
}  // namespace cordon::dp
