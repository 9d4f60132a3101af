// SPDX-License-Identifier: Apache-2.0
// Writes one seed per kind of frame for fuzz_frame into a folder.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/packet_builder.h"

namespace cordon::dp::testing {
namespace {

struct Seed {
  const char* name;
  FrameBuilder frame;
};

FrameBuilder V4() { return FrameBuilder(); }
FrameBuilder V6() { return FrameBuilder().From("fd00::1").To("fd00::9"); }

std::vector<Seed> EthernetSeeds() {
  return {
      {"arp-request", V4().ArpRequest("10.0.0.1", "10.0.0.9").PadTo(60)},
      {"arp-reply-vlan", V4().Vlan(30).ArpReply("10.0.0.9", "10.0.0.1")},
      {"vlan", V4().Vlan(30).Tcp(104)},
      {"qinq", V4().Vlan({100, 30}).Udp(5000)},
      {"qinq-9100", V4().Tag(0x9100, 100).Tag(0x9100, 30)},
      {"three-tags", V4().Tag(0x88a8, 1).Tag(0x8100, 2).Tag(0x8100, 3)},
      {"priority-tag", V4().Tag(0x8100, 0xa000)},
      {"vid-4095", V4().Tag(0x8100, 4095)},
      {"llc", V4().Ethertype(38)},
      {"lldp", V4().Ethertype(0x88cc)},
  };
}

std::vector<Seed> Ipv4Seeds() {
  const FrameBuilder dicom = V4().Tcp(40001, 104, tcp_flag::kAck | tcp_flag::kPsh);
  return {
      {"tcp-syn", V4().Tcp(104).TcpOptions({2, 4, 5, 0xb4, 1, 3, 3, 7})},
      {"tcp-data", FrameBuilder(dicom).Payload("A-ASSOCIATE-RQ")},
      {"tcp-fin", V4().Tcp(40001, 104, tcp_flag::kFin | tcp_flag::kAck).PadTo(60)},
      {"tcp-xmas", V4().Tcp(1, 2, 0x29)},
      {"udp", V4().Udp(123).PayloadSize(48)},
      {"udp-empty", V4().Udp(9)},
      {"dhcp", V4().From("0.0.0.0").To("255.255.255.255").Udp(68, 67).PayloadSize(64)},
      {"options-router-alert", V4().Ipv4Options({148, 4, 0, 0})},
      {"options-source-route", V4().Ipv4Options({1, 131, 7, 4, 10, 0, 0, 1})},
      {"options-malformed", V4().Ipv4Options({148, 9, 0, 0})},
      {"first-fragment", V4().Udp(5000).PayloadSize(64).FirstFragment()},
      {"later-fragment", V4().Udp(5000).PayloadSize(64).NextFragment(64)},
      {"echo-request", V4().EchoRequest(1).PayloadSize(16)},
      {"echo-reply", V4().EchoReply(1)},
      {"port-unreachable", V4().IcmpError(3, 3, V4().Udp(53).PayloadSize(8))},
      {"fragmentation-needed", V4().IcmpError(3, 4, dicom)},
      {"error-about-options", V4().IcmpError(11, 0, V4().Ipv4Options({1, 1}).EchoRequest(5))},
      {"error-cut", V4().IcmpError(3, 1, dicom, 25)},
      {"gre", V4().Protocol(47).PayloadSize(24)},
      {"igmp", V4().To("224.0.0.22").Ipv4Options({148, 4, 0, 0}).Igmp(0x16, "239.1.1.1")},
      {"igmp-v3", V4().To("224.0.0.22")
                      .Protocol(2)
                      .Payload({0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 239, 1, 1, 1})},
      {"options-timestamp", V4().Ipv4Options({68, 8, 5, 0, 0, 0, 0, 0})},
      {"options-record-route", V4().Ipv4Options({7, 7, 4, 0, 0, 0, 0, 0})},
      {"tcp-options",
       V4().Tcp(104).TcpOptions({2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7})},
      {"tcp-sack", FrameBuilder(dicom).TcpOptions({1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2})},
      {"tcp-odd-options", V4().Tcp(104).TcpOptions({2, 4, 0, 48, 29, 3, 0, 34, 5, 1, 1, 1})},
      {"tcp-urgent", FrameBuilder(dicom).Flags(0x30).UrgentPointer(1)},
      {"udp-vxlan", V4().Udp(50000, 4789).PayloadSize(32)},
      {"land", V4().From("10.0.0.7").To("10.0.0.7").Tcp(139)},
      {"link-local", V4().From("169.254.1.1")},
      {"reserved", V4().To("240.0.0.1")},
  };
}

std::vector<Seed> Ipv6Seeds() {
  const FrameBuilder deep = V6().Extension(0).Extension(60).Extension(43, {2, 0}).Udp(53);
  return {
      {"v6-tcp", V6().Tcp(104)},
      {"v6-udp-vlan", V6().Vlan(30).Udp(5000).PayloadSize(8)},
      {"v6-extensions", deep},
      {"v6-routing-0", V6().Extension(43, {0, 1})},
      {"v6-too-many", FrameBuilder(deep).Extension(60).FirstFragment()},
      {"v6-first-fragment", V6().Udp(5000).PayloadSize(64).FirstFragment()},
      {"v6-later-fragment", V6().Udp(5000).PayloadSize(64).LastFragment(64)},
      {"v6-atomic-fragment", V6().Udp(5000).AtomicFragment()},
      {"v6-no-next-header", V6().Protocol(59)},
      {"v6-esp", V6().Protocol(50).PayloadSize(16)},
      {"v6-echo-request", V6().EchoRequest(1)},
      {"v6-solicitation", V6().To("ff02::1:ff00:9").NeighbourSolicitation("fd00::9")},
      {"v6-advertisement", V6().NeighbourAdvertisement("fd00::1")},
      {"v6-router-solicitation", V6().From("::").To("ff02::2").RouterSolicitation()},
      {"v6-too-big", V6().IcmpError(2, 0, V6().Tcp(104).PayloadSize(32))},
      {"v6-error-about-extensions", V6().IcmpError(1, 4, deep)},
      {"v6-router-advertisement", V6().From("fe80::1").HopLimit(255).Icmp(134, 0).Payload(
                                      {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 1})},
      {"v6-redirect", V6().From("fe80::1").HopLimit(255).Icmp(137, 0).PayloadSize(40)},
      {"v6-jumbo", V6().Extension(0, {0xc2, 4, 0, 1, 0, 0})},
      {"v6-option", V6().Extension(60, {0xc9, 4, 0, 0, 0, 0})},
      {"v6-link-local", V6().From("fe80::1").Tcp(80)},
      {"v6-mld", V6().Extension(0, {5, 2, 0, 0}).Icmp(143, 0, 1).PayloadSize(20)},
  };
}

}  // namespace
}  // namespace cordon::dp::testing

int main(int argc, char** argv) {
  using namespace cordon::dp::testing;
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  for (const auto& seeds : {EthernetSeeds(), Ipv4Seeds(), Ipv6Seeds()}) {
    for (const Seed& seed : seeds) {
      Bytes bytes = seed.frame.Build();
      bytes.insert(bytes.begin(), 60);  // bytes in the first segment, see fuzz_frame.cc
      std::ofstream out(std::string(argv[1]) + "/" + seed.name, std::ios::binary);
      out.write(reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size()));
      if (!out) return 1;
    }
  }
  return 0;
}
