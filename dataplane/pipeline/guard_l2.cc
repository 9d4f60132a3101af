// SPDX-License-Identifier: Apache-2.0
// Ethernet control protocols, in both directions as the pair says. They come before identity: a
// device must authenticate itself to its switch (802.1X) before anybody knows it.
#include "dataplane/pipeline/guard.h"

namespace cordon::dp {
namespace {

struct Treatment {
  Reason reason;       // whether it passes or not
  uint16_t ethertype;  // as GuardSpec names it
};

Treatment TreatmentOf(const Packet& packet) {
  switch (packet.l2_kind) {
    case L2Kind::kEapol:
      return {Reason::kL2Eapol, guard_ethertype::kEapol};
    case L2Kind::kLldp:
      return {Reason::kL2Lldp, guard_ethertype::kLldp};
    case L2Kind::kStp:
      return {Reason::kL2Stp, guard_ethertype::kStp};
    case L2Kind::kLacp:
      return {Reason::kL2Lacp, guard_ethertype::kLacp};
    case L2Kind::kPtp:
      return {Reason::kL2Ptp, guard_ethertype::kPtp};
    case L2Kind::kCdp:
      return {Reason::kL2Cdp, guard_ethertype::kCdp};
    default:
      return {Reason::kL2Named, packet.ethertype};
  }
}

// Such ethertypes stand for a protocol only at its own address; by a bare number they do not pass.
bool HasProtocolOfItsOwn(uint16_t ethertype) {
  return ethertype == guard_ethertype::kEapol || ethertype == guard_ethertype::kLldp ||
         ethertype == guard_ethertype::kLacp;
}

// Control frames carry no tag, or that of a VLAN in which the pair has devices.
bool HasVlanOfDevices(const GuardedFrame& frame) {
  return frame.packet().vlan == VlanTags{} || frame.HasDevices() ||
         frame.policy().HasUnknownDeviceRules();
}

}  // namespace

Decision JudgeLayer2(const GuardedFrame& frame) noexcept {
  const Packet& packet = frame.packet();
  if (packet.l2_kind == L2Kind::kRarp) return frame.Refused(Reason::kL2Rarp);
  if (packet.l2_kind == L2Kind::kLlc) return frame.Refused(Reason::kL2Llc);
  const Treatment treatment = TreatmentOf(packet);
  if (packet.l2_kind == L2Kind::kOther && HasProtocolOfItsOwn(treatment.ethertype)) {
    return frame.Refused(Reason::kEthertypeNotAllowed);
  }
  if (!frame.guards().Passes(treatment.ethertype)) {
    const bool has_name = packet.l2_kind != L2Kind::kOther;
    return frame.Refused(has_name ? treatment.reason : Reason::kEthertypeNotAllowed);
  }
  if (!HasVlanOfDevices(frame)) return frame.Refused(Reason::kUnknownDevice);
  if (!frame.from_device() && frame.IsDeviceMac(packet.source_mac)) {
    return frame.Refused(Reason::kDeviceMacOnNetworkSide);
  }
  return frame.Passed(treatment.reason);
}

}  // namespace cordon::dp
