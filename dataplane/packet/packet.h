// SPDX-License-Identifier: Apache-2.0
// A packet: the facts of one frame. ParseFrame is the only place that reads frame bytes; after it
// nobody holds a pointer into a frame or computes an offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/packet/address.h"
#include "dataplane/packet/check.h"
#include "dataplane/packet/dhcp.h"
#include "dataplane/packet/reason.h"

namespace cordon::dp {

// The bytes of one frame as received, VLAN tags included, FCS excluded.
// `bytes` is the contiguous start (the first segment of a chained mbuf), `length` the whole frame:
// length >= bytes.size(). All headers must lie in `bytes`; what lies behind is only counted and
// summed up: `tail_sum` is the folded ones-complement sum of the big-endian 16-bit words there, as
// if it began at an even offset (RFC 1071); io/ fills it for chained mbufs.
struct Frame {
  std::span<const uint8_t> bytes;
  uint32_t length = 0;
  uint16_t tail_sum = 0;
  // A capture that was cut at its snap length has no tail to sum up: checksums of layer 4 that
  // would need it are taken for right. Never so on a port.
  bool has_tail = true;
};

enum class Side : uint8_t { kDevice = 0, kNetwork = 1 };
inline constexpr size_t kSideCount = 2;
std::string_view ToString(Side side);  // "device", "network"

inline constexpr uint8_t kNoWindowScale = 0xff;

enum class Layer3 : uint8_t { kNone, kArp, kIpv4, kIpv6 };

namespace protocol {  // IANA protocol numbers
inline constexpr uint8_t kIcmp = 1, kIgmp = 2, kTcp = 6, kUdp = 17, kIcmpv6 = 58;
}

namespace tcp_flag {
inline constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32;
}

// What an ICMP or ICMPv6 message is to a stateful filter.
enum class IcmpKind : uint8_t {
  kNone,                 // not ICMP
  kRequest,              // opens a pseudo flow: echo request, and every type not named below
  kReply,                // 0, 14, 16, 18; ICMPv6 129: passes only on the flow of its request
  kError,                // 3, 11; ICMPv6 1-4: passes only if the packet it quotes is a live flow
  kNeighbour,            // ICMPv6 133 RS, 135 NS, 136 NA: judged by the ND guard
  kRouterAdvertisement,  // ICMPv6 134
  kRedirect              // ICMPv6 137
};

// Which guard must look at a frame, each time and before any rule.
enum class GuardKind : uint8_t {
  kNone,
  kLayer2,  // neither ARP nor IP: see L2Kind; `reason` is kEthertypeNotAllowed
  kArp,
  kNeighbour,   // neighbour discovery: IcmpKind::kNeighbour
  kDhcp,        // to an L4 port of DHCP or DHCPv6
  kMembership,  // IGMP, MLD
};

// What a frame is that is neither ARP nor IP.
enum class L2Kind : uint8_t {
  kNone,
  kEapol,  // 802.1X
  kLldp,
  kStp,  // bridge protocol data units, those per VLAN included
  kLacp,
  kPtp,  // IEEE 1588 over Ethernet
  kCdp,
  kRarp,
  kLlc,    // any other 802.3 frame with a length instead of an ethertype
  kOther,  // any other ethertype
};

struct ArpFacts {
  uint16_t operation = 0;  // 1 request, 2 reply
  MacAddress sender_mac;
  IpAddress sender_ip;
  IpAddress target_ip;
};

// Of the three ND kinds.
struct NdFacts {
  IpAddress target;  // NS, NA, redirect; unspecified in an RS or RA
  // Of the source and the target link-layer address option; zero if there is none.
  MacAddress source_link_layer;
  MacAddress target_link_layer;
  // All that RFC 4861 (6.1, 7.1, 8.1) asks a receiver to look at: hop limit 255, code 0, checksum,
  // length, addresses, options; and no IPv6 extension header in front: no fragment (RFC 6980) and
  // no hiding place (RFC 7113).
  bool hop_limit_ok = false;
};

// RFC 2236, RFC 3376.
struct IgmpFacts {
  uint8_t type = 0;  // 0x11 query, 0x12 / 0x16 / 0x22 report of version 1 / 2 / 3, 0x17 leave
  IpAddress group;   // 0.0.0.0 in a general query; of a version 3 report the first group
};

// The packet that an ICMP error quotes, as its own sender sent it.
struct QuotedFacts {
  IpAddress source;
  IpAddress destination;
  uint8_t protocol = 0;
  uint16_t source_port = 0;  // for ICMP echo: the identifier in both ports' place is icmp_id
  uint16_t destination_port = 0;
  uint8_t icmp_type = 0;
  uint16_t icmp_id = 0;
};

// Whether messages of that type carry an identifier that pairs a reply with its request: echo,
// timestamp, information and address mask (RFC 792, 950), ICMPv6 echo (RFC 4443).
constexpr bool HasIcmpId(uint8_t protocol, uint8_t type) {
  if (protocol == protocol::kIcmpv6) return type == 128 || type == 129;
  return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

// Messages that only a rule which names their type lets pass. They tell a host to send elsewhere or
// more slowly (redirect, source quench), to use another router or netmask, ask it who and what it
// is (timestamp, information, node information), or are experimental or given to nobody. ICMP: all
// but echo, unreachable and time exceeded; ICMPv6: RFC 4890 4.3 and 4.4.
constexpr bool MustBeNamed(uint8_t protocol, uint8_t icmp_type) {
  if (protocol == protocol::kIcmp) {
    return icmp_type != 0 && icmp_type != 3 && icmp_type != 8 && icmp_type != 11;
  }
  if (protocol != protocol::kIcmpv6) return false;
  const bool is_error = icmp_type >= 1 && icmp_type <= 4;
  const bool is_echo_or_listener = icmp_type >= 128 && icmp_type <= 132;
  const bool is_neighbour = icmp_type == 133 || icmp_type == 135 || icmp_type == 136;
  return !is_error && !is_echo_or_listener && !is_neighbour && icmp_type != 143;
}

// UDP ports behind which whole frames or packets hide: L2TP, Teredo, VXLAN. Like a tunnel with an
// IP protocol of its own, only a rule that names the port, and not a range around it, lets them
// pass.
constexpr bool IsUdpTunnelPort(uint16_t l4_port) {
  return l4_port == 1701 || l4_port == 3544 || l4_port == 4789;
}

// Which fields are set follows from layer3 and protocol. `reason` is kUndecided if the frame is
// well-formed; otherwise why it must be dropped. MAC addresses and VLAN are set even then, unless
// has_ethernet is false, so that a malformed frame can still be attributed to a device. layer3 is
// set as soon as the addresses of that layer are; fields that do not apply are 0, but the union is
// left as it was.
//
// A fragment other than the first has its addresses, `protocol` (IPv6: what its fragment header
// names, perhaps a further extension header) and fragment fields; all of layer 4 is 0.
struct Packet {
  MacAddress source_mac;
  MacAddress destination_mac;
  VlanTags vlan;
  uint16_t ethertype = 0;  // behind the VLAN tags
  Reason reason = Reason::kUndecided;
  bool has_ethernet = false;
  uint32_t frame_length = 0;

  // --- from here to the addresses: 0 unless a layer sets it
  CheckMask anomalies = 0;  // the checks that a well-formed frame fails; of a malformed one some
  Layer3 layer3 = Layer3::kNone;
  uint8_t protocol = 0;                       // of layer 4, behind IPv6 extension headers
  uint8_t hop_limit = 0;                      // TTL of IPv4
  uint8_t tcp_flags = 0;                      // the six of tcp_flag; ECE and CWR are masked out
  uint8_t tcp_window_scale = kNoWindowScale;  // of a SYN
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  IcmpKind icmp_kind = IcmpKind::kNone;
  GuardKind guard = GuardKind::kNone;
  L2Kind l2_kind = L2Kind::kNone;
  uint16_t icmp_id = 0;           // see HasIcmpId; 0 for other types
  uint16_t source_port = 0;       // L4 port, TCP and UDP
  uint16_t destination_port = 0;  // L4 port, TCP and UDP
  uint16_t tcp_window = 0;
  uint32_t tcp_sequence = 0;
  uint32_t tcp_acknowledgment = 0;
  uint32_t payload_length = 0;  // bytes behind the TCP or UDP header, in this frame
  uint32_t fragment_id = 0;
  uint16_t fragment_offset = 0;  // in bytes, from the first byte that may be fragmented
  uint16_t fragment_length = 0;  // bytes of this piece: behind the IPv4 or the fragment header
  uint32_t fragment_digest = 0;  // of those bytes, see Reader::Digest
  bool is_fragment = false;      // any piece of a datagram; an atomic fragment (RFC 6946) is none
  bool more_fragments = false;
  bool has_router_alert = false;  // IPv4 option, or IPv6 hop-by-hop option

  IpAddress source;
  IpAddress destination;
  union {  // by layer3, protocol, icmp_kind and guard: at most one applies
    ArpFacts arp;
    NdFacts nd;
    IgmpFacts igmp;
    DhcpFacts dhcp;
    QuotedFacts quoted;
  };

  Packet() : quoted() {}
  bool IsLaterFragment() const { return is_fragment && fragment_offset != 0; }
};

// Parses one frame into `packet`, overwriting it. Returns packet.reason.
// Never reads outside frame.bytes, whatever they hold. Bounded: at most 2 VLAN tags and
// kMaxIpv6Extensions extension headers are walked; only the checksum depends on the length of the
// frame. No allocation.
Reason ParseFrame(const Frame& frame, Packet& packet) noexcept;

inline constexpr int kMaxIpv6Extensions = 4;
inline constexpr int kMaxIpv6ExtensionBytes = 256;  // of all of them but a fragment header

}  // namespace cordon::dp
