// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include <array>

#include "tests/unit/dataplane/io/io_fixture.h"

namespace cordon::dp {
namespace {

using ::testing::HasSubstr;
using namespace cordon::dp::testing;  // NOLINT(google-build-using-namespace)

class PortTest : public IoTest {
 protected:
  std::unique_ptr<Port> Open(const std::string& device, Port::Setup setup = {}) {
    return Port::Open(Device(device), setup, warnings_, error_);
  }
  std::vector<std::string> warnings_;
  std::string error_;
};

// R117
TEST_F(PortTest, CountsFramesThatFoundNoBuffer) {
  const auto port = Open("net_pcap_poor,rx_pcap=" + (directory_ / "device.pcap").string());
  ASSERT_NE(port, nullptr) << error_;
  const auto other = Open("net_null_poor");
  const Pool pool = MakePool("poor", 1, 2048);
  ASSERT_TRUE(port->Start(port->NeedsBuffers(*other), pool.get(), warnings_, error_)) << error_;
  rte_mbuf* taken = rte_pktmbuf_alloc(pool.get());
  std::array<rte_mbuf*, 8> mbufs{};
  EXPECT_EQ(rte_eth_rx_burst(port->id(), 0, mbufs.data(), mbufs.size()), 0);
  EXPECT_GT(port->Statistics().receive_no_buffer, 0U);
  rte_pktmbuf_free(taken);
}

TEST_F(PortTest, ChainsOnlyWhereBothPortsCan) {
  const auto pcap = Open("net_pcap_chain,rx_pcap=" + (directory_ / "device.pcap").string(),
                         {Side::kDevice, 9000, 1});
  const auto ring = Open("net_ring_chain", {Side::kNetwork, 9000, 1});
  const auto null = Open("net_null_chain", {Side::kNetwork, 9000, 1});
  ASSERT_TRUE(pcap && ring && null) << error_;
  EXPECT_EQ(pcap->NeedsBuffers(*ring).bytes, kSegmentBytes);
  EXPECT_EQ(pcap->NeedsBuffers(*null).bytes, 16384U);
  EXPECT_EQ(null->NeedsBuffers(*pcap).bytes, 16384U);
  EXPECT_EQ(ring->longest_chain(), 9022U);
  EXPECT_EQ(null->longest_chain(), 0U);
}

TEST_F(PortTest, RefusesAnInterfaceGivenAsADeviceString) {
  EXPECT_EQ(Open("net_af_packet0,iface=lo"), nullptr);
  EXPECT_THAT(error_, HasSubstr("is given as interface: NAME"));
}

TEST_F(PortTest, RefusesADriverThatIsNotThere) {
  EXPECT_EQ(Open("net_nonsense0"), nullptr);
  EXPECT_THAT(error_, HasSubstr("no such driver"));
  EXPECT_EQ(Open("0000:ff:1f.7"), nullptr);
  EXPECT_THAT(error_, HasSubstr("must be bound to vfio-pci"));
}

// The rings of a net_ring port are its own other end: what is put in comes in, what it sends comes
// in again.
TEST_F(PortTest, FramesPassThroughRings) {
  rte_ring* device = rte_ring_lookup("ETH_RXTX0_net_ring0");
  ASSERT_NE(device, nullptr);
  const Pool pool = MakePool("rings", 4, 2048);
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool.get());
  std::memcpy(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(kRing.size())), kRing.data(),
              kRing.size());
  ASSERT_EQ(rte_ring_enqueue(device, mbuf), 0);
  const PairCounters& counters = counters_.pairs[2];
  EXPECT_TRUE(
      Await([&] { return counters.frames[0][static_cast<size_t>(Verdict::kForward)].Get() == 1; }));
  EXPECT_TRUE(
      Await([&] { return counters.frames[1][static_cast<size_t>(Verdict::kDrop)].Get() == 1; }));
  EXPECT_TRUE(Await([&] { return rte_mempool_in_use_count(pool.get()) == 0; }));
}

}  // namespace
}  // namespace cordon::dp
