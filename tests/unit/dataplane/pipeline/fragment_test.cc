// SPDX-License-Identifier: Apache-2.0
// Pieces of datagrams: what the verdict of the first one means for the others.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>

#include "tests/unit/dataplane/pipeline/fragment_fixture.h"

namespace cordon::dp::testing {
namespace {

using ::testing::ElementsAre;

constexpr TimePoint kTimeout = kFragmentTimeout;

// A message of three pieces.
std::vector<Bytes> Message(FrameBuilder frame = Out()) {
  return frame.Udp(5000).PayloadSize(150).BuildFragments(64);
}

TEST_F(FragmentTest, LaterPiecesTakeTheVerdictOfTheFirst) {
  // R030
  const size_t n = Send(Message());
  for (const size_t frame : {n, n + 1, n + 2}) {
    EXPECT_TRUE(Forwards(frame));
    EXPECT_EQ(gateway_.RuleOf(*final_[frame]), "test/rule-1");
    EXPECT_EQ(gateway_.DeviceOf(*final_[frame]), "pump");
  }
}

TEST_F(FragmentTest, NothingPassesBeforeTheFirstPieceWasJudged) {
  // R030
  const std::vector<Bytes> message = Message();
  const size_t n = Send({message[2], message[1]});
  EXPECT_TRUE(IsHeld(n) && IsHeld(n + 1));
  EXPECT_EQ(Counted(Verdict::kDrop, Reason::kUndecided), 0u);
  Send(message[0]);
  EXPECT_TRUE(Forwards(n) && Forwards(n + 1) && Forwards(n + 2));
  EXPECT_THAT(released_, ElementsAre(n, n + 1));
  EXPECT_EQ(Counted(Verdict::kForward, Reason::kRule), 3u);
}

TEST_F(FragmentTest, HeldPiecesLeaveInFrontOfTheFirst) {
  // R044
  const std::vector<Bytes> message = Message();
  Send({Out().Udp(5000).Build(), message[1], message[0], message[2]});
  ASSERT_EQ(gateway_.burst().released.size(), 1u);
  EXPECT_EQ(gateway_.burst().released[0].before, 2);
  EXPECT_EQ(gateway_.burst().held, 2u);
}

TEST_F(FragmentTest, NothingOfADatagramPassesWhoseFirstPieceWasRefused) {
  // R030
  const std::vector<Bytes> message = Out().Udp(9999).PayloadSize(150).BuildFragments(64);
  const size_t n = Send({message[1], message[0], message[2]});
  EXPECT_TRUE(Drops(n, Reason::kFragmentRefused));
  EXPECT_TRUE(Drops(n + 1, Reason::kNoRule));
  EXPECT_TRUE(Drops(n + 2, Reason::kFragmentRefused));
}

TEST_F(FragmentTest, AllOrdersOfThreePiecesPassInBothFamilies) {
  // R044
  uint32_t id = 0;
  for (const FrameBuilder& frame : {Out(), OutV6()}) {
    std::array<size_t, 3> order = {0, 1, 2};
    do {
      const std::vector<Bytes> message = Message(FrameBuilder(frame).Identification(++id));
      const size_t n = Send({message[order[0]], message[order[1]], message[order[2]]});
      EXPECT_TRUE(Forwards(n) && Forwards(n + 1) && Forwards(n + 2)) << order[0] << order[1];
    } while (std::ranges::next_permutation(order).found);
  }
  EXPECT_EQ(gateway_.counters().fragments_open.Get(), 0u);
}

TEST_F(FragmentTest, AnOverlapRefusesTheWholeDatagram) {
  // R031, R033: in both families.
  for (const FrameBuilder& base : {Out(), OutV6()}) {
    const std::vector<Bytes> message = Message(base);
    const Bytes forged =
        FrameBuilder(base).Protocol(protocol::kUdp).PayloadSize(64).NextFragment(72).Build();
    const size_t n = Send({message[0], message[1], forged, message[2]});
    EXPECT_TRUE(Forwards(n) && Forwards(n + 1));
    EXPECT_TRUE(Drops(n + 2, Reason::kFragmentOverlap));
    EXPECT_TRUE(Drops(n + 3, Reason::kFragmentOverlap));
  }
}

TEST_F(FragmentTest, ASecondFirstPieceWithOtherPortsIsAnOverlap) {
  // R031, R033: the port that was judged is the one that the receiver sees.
  const std::vector<Bytes> message = Message();
  const Bytes forged = Out().Udp(9999).PayloadSize(56).FirstFragment().Build();
  const size_t n = Send({message[0], forged, message[1]});
  EXPECT_TRUE(Drops(n + 1, Reason::kFragmentOverlap));
  EXPECT_TRUE(Drops(n + 2, Reason::kFragmentOverlap));
}

TEST_F(FragmentTest, ADuplicateIsDroppedAndHarmsNothing) {
  // R032
  const std::vector<Bytes> message = Message();
  const size_t n = Send({message[1], message[1], message[0], message[0], message[2]});
  EXPECT_TRUE(Forwards(n) && Forwards(n + 2) && Forwards(n + 4));
  EXPECT_TRUE(Drops(n + 1, Reason::kFragmentDuplicate));
  EXPECT_TRUE(Drops(n + 3, Reason::kFragmentDuplicate));
}

TEST_F(FragmentTest, PiecesBehindTheLongestDatagramAreRefused) {
  // R034
  const size_t n =
      Send(Out().Protocol(protocol::kUdp).PayloadSize(64).LastFragment(65'528).Build());
  EXPECT_TRUE(Drops(n, Reason::kFragmentTooBig));
}

TEST_F(FragmentTest, PiecesOfBrokenUnitsAreRefused) {
  // R035
  const size_t n = Send({Out().Protocol(protocol::kUdp).PayloadSize(65).NextFragment(64).Build(),
                         Out().Udp(5000).PayloadSize(9).FirstFragment().Build()});
  EXPECT_TRUE(Drops(n, Reason::kFragmentMisaligned));
  EXPECT_TRUE(Drops(n + 1, Reason::kFragmentMisaligned));
}

TEST_F(FragmentTest, AnIpv6FirstPieceHoldsTheWholeHeaderChain) {
  // R036: RFC 7112. A destination options header that goes on in the next piece, and a UDP header.
  const Bytes chain = Bytes{protocol::kUdp, 1, 1, 12, 0, 0, 0, 0};
  const size_t n = Send({OutV6().Protocol(60).Payload(chain).FirstFragment().Build(),
                         OutV6().Protocol(60).PayloadSize(64).LastFragment(8).Build()});
  EXPECT_TRUE(Drops(n, Reason::kIpv6ExtensionTruncated));
  EXPECT_TRUE(Drops(n + 1, Reason::kFragmentRefused));
}

TEST_F(FragmentTest, ATcpHeaderIsNotSplit) {
  // R037: tiny first pieces, and pieces that begin inside of the header.
  const Bytes header = Out().Tcp(104).BuildIpPacket();
  const Bytes tiny(header.begin() + 20, header.begin() + 36);
  const size_t n = Send({Out().Protocol(protocol::kTcp).Payload(tiny).FirstFragment().Build(),
                         Out().Protocol(protocol::kTcp).PayloadSize(8).NextFragment(8).Build()});
  EXPECT_EQ(final_[n]->verdict, Verdict::kDrop);
  EXPECT_TRUE(Drops(n + 1, Reason::kFragmentTooSmall));
}

TEST_F(FragmentTest, AnAtomicFragmentIsJudgedAloneWhateverElseHasItsNumber) {
  // R038: RFC 6946
  const std::vector<Bytes> message = Message(OutV6());
  const size_t n = Send({message[0], OutV6().Udp(5000).AtomicFragment().Build(), message[1],
                         OutV6().Udp(9999).AtomicFragment().Build(), message[2]});
  EXPECT_TRUE(Forwards(n + 1) && Forwards(n + 2) && Forwards(n + 4));
  EXPECT_TRUE(Drops(n + 3, Reason::kNoRule));
}

TEST_F(FragmentTest, NeighbourDiscoveryInFragmentsIsRefused) {
  // R039: RFC 6980
  FrameBuilder solicitation = OutV6().HopLimit(255).NeighbourSolicitation("fd00::9");
  const std::vector<Bytes> pieces = solicitation.BuildFragments(24);
  const size_t n = Send({pieces[0], FrameBuilder(solicitation).AtomicFragment().Build()});
  EXPECT_EQ(final_[n]->verdict, Verdict::kDrop);
  EXPECT_EQ(final_[n + 1]->verdict, Verdict::kDrop);
}

TEST_F(FragmentTest, AFragmentInAFragmentIsRefused) {
  // R040
  const Bytes nested = Bytes{protocol::kUdp, 0, 0, 1, 0, 0, 0, 1};
  const size_t n = Send({OutV6().Extension(44, nested).Udp(5000).FirstFragment().Build(),
                         OutV6().Protocol(44).PayloadSize(64).NextFragment(64).Build()});
  EXPECT_EQ(final_[n]->verdict, Verdict::kDrop);
  EXPECT_TRUE(Drops(n + 1, Reason::kIpv6ExtensionChain));
}

TEST_F(FragmentTest, WhatWaitsInVainIsDroppedCountedAndReported) {
  // R041
  const size_t n = Send(Message()[1]);
  Advance(kTimeout - 1);
  EXPECT_TRUE(IsHeld(n));
  Advance(1);
  EXPECT_TRUE(Drops(n, Reason::kFragmentTimeout));
  EXPECT_EQ(Counted(Verdict::kDrop, Reason::kFragmentTimeout), 1u);
  EXPECT_EQ(gateway_.counters().fragments_timed_out.Get(), 1u);
  const std::vector<FlowEvent> events = gateway_.Events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason, Reason::kFragmentTimeout);
  EXPECT_EQ(events[0].peer_ip, kServer.ip);
}

TEST_F(FragmentTest, GaugesTellWhatIsOpenAndHeld) {
  // R042
  Send({Message()[1], Message()[2]});
  EXPECT_EQ(gateway_.counters().fragments_open.Get(), 1u);
  EXPECT_EQ(gateway_.counters().fragments_held.Get(), 2u);
  Send(Message()[0]);
  EXPECT_EQ(gateway_.counters().fragments_open.Get(), 0u);
  EXPECT_EQ(gateway_.counters().fragments_held.Get(), 0u);
}

TEST_F(FragmentTest, AFloodOfOneDeviceLeavesAnotherItsFragments) {
  // R042, R043
  const std::vector<Bytes> message = Message();
  const size_t n = Send({message[1], message[2]});
  for (uint32_t id = 0; id < 3000; ++id) {
    Send(Out(kCt).Identification(id).Protocol(17).PayloadSize(64).NextFragment(64).Build());
  }
  Send(message[0]);
  EXPECT_TRUE(Forwards(n) && Forwards(n + 1));
  EXPECT_GT(Counted(Verdict::kDrop, Reason::kFragmentDeviceQuota), 2000u);
}

TEST_F(FragmentTest, StrangersAndSpoofersTakeUpNoRoom) {
  // R043: neither an unknown MAC address nor an address of somebody else.
  const FrameBuilder stranger = Out({Mac("02:00:00:00:99:99"), kPump.ip, {}});
  const FrameBuilder spoofer = Out({kCt.mac, kPump.ip, {}});
  const size_t n = Send({Message(stranger)[1], Message(spoofer)[1]});
  EXPECT_TRUE(Drops(n, Reason::kUnknownDevice));
  EXPECT_TRUE(Drops(n + 1, Reason::kSourceNotBound));
  EXPECT_EQ(gateway_.counters().fragments_open.Get(), 0u);
}

TEST_F(FragmentTest, PiecesOfAnotherVlanOrDeviceJoinNothing) {
  // R045
  gateway_.Enforce(FragmentPolicy().Generation(2).Device("pump30", {kPump.mac, kPump.ip, {30, 0}}));
  const std::vector<Bytes> message = Message();
  const size_t n = Send({message[0], Message(Out().Vlan(30))[1]});
  EXPECT_TRUE(Forwards(n));
  EXPECT_TRUE(IsHeld(n + 1));
}

TEST_F(FragmentTest, AnswersInPiecesPassOnTheFlowTheyAnswer) {
  // R030: and count for it.
  const FrameBuilder ping = Out().EchoRequest(7).PayloadSize(3000);
  const FrameBuilder pong = Out().EchoReply(7).PayloadSize(3000).Reversed();
  const size_t unasked = Send(pong.BuildFragments(1480), Side::kNetwork);
  EXPECT_TRUE(Drops(unasked, Reason::kIcmpNoFlow));
  EXPECT_TRUE(Drops(unasked + 2, Reason::kFragmentRefused));
  Send(ping.BuildFragments(1480));
  const size_t n = Send(FrameBuilder(pong).Identification(8).BuildFragments(1480), Side::kNetwork);
  EXPECT_TRUE(Forwards(n) && Forwards(n + 1) && Forwards(n + 2));
}

}  // namespace
}  // namespace cordon::dp::testing
