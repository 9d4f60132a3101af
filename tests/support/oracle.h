// SPDX-License-Identifier: Apache-2.0
// The semantics of the fast path once more: slow, one frame at a time, linear scans over the
// PolicySpec, a std::map of flows. Obviously right is its only virtue; it shares nothing with
// policy/, flow/ and pipeline/ but plain types, and is compared with them on random traffic.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "dataplane/flow/tcp_track.h"
#include "dataplane/packet/packet.h"
#include "dataplane/policy/slots.h"
#include "dataplane/policy/spec.h"

namespace cordon::dp::testing {

struct OracleAnswer {
  Verdict verdict = Verdict::kDrop;
  Reason reason = Reason::kUndecided;
  std::string rule;    // origin
  std::string device;  // name; "" for the group, unknown devices and nobody
  friend bool operator==(const OracleAnswer&, const OracleAnswer&) = default;
};

class Oracle {
 public:
  // Flows seen midstream are adopted before `adopt_until_ns`; at most `capacity` flows are held.
  explicit Oracle(uint64_t adopt_until_ns = 0, size_t capacity = 1'000'000)
      : adopt_until_ns_(adopt_until_ns), capacity_(capacity) {}

  // Looks at every flow, as the gateway does between frames: ends those that are idle or that the
  // policy no longer allows.
  void Sweep(uint64_t now_ns);
  // The policy from now on, compiled at a Unix time; flows of earlier ones are stale.
  void SetPolicy(const PolicySpec& spec, int64_t unix_time = 0);
  OracleAnswer Decide(const Packet& packet, Side side, uint16_t pair, uint64_t now_ns);
  size_t flow_count() const { return flows_.size(); }

 private:
  struct Who {
    enum Kind { kNobody, kUnknown, kGroup, kDevice } kind = kNobody;
    size_t index = 0;  // of a device
    friend bool operator==(const Who&, const Who&) = default;
  };
  struct Conversation {  // what frames of one flow have in common
    uint16_t pair = 0;
    VlanTags vlan;
    MacAddress device_mac;
    uint8_t protocol = 0;
    IpAddress device_ip, peer_ip;
    uint16_t device_port = 0, peer_port = 0;  // TCP, UDP
    uint8_t icmp_request = 0;                 // type of the request
    uint16_t icmp_id = 0;                     // or the code, where there is no identifier
    bool icmp_asked_by_peer = false;
    auto Tie() const {
      return std::tie(pair, vlan, device_mac, protocol, device_ip, peer_ip, device_port, peer_port,
                      icmp_request, icmp_id, icmp_asked_by_peer);
    }
    friend bool operator<(const Conversation& a, const Conversation& b) {
      return a.Tie() < b.Tie();
    }
  };
  struct Flow {
    bool by_peer = false;
    uint64_t policy = 0;
    OracleAnswer answer;
    std::optional<RuleSpec> rule;
    TcpTrack tcp;  // followed by the gateway's own tracker, which has tests of its own
    uint32_t last_ms = 0;
    uint32_t device_number = 0;    // stays a device's own from policy to policy
    uint64_t evictable_since = 0;  // order of becoming half open or closed; 0: is neither
  };
  using FlowMap = std::map<Conversation, Flow>;

  // --- the policy
  uint16_t PairOf(const DeviceSpec& device) const;
  Who Owner(uint16_t pair, VlanTags vlan, const IpAddress& ip) const;  // kDevice or kNobody
  bool IsDeviceMac(uint16_t pair, VlanTags vlan, MacAddress mac) const;
  Who Find(const Conversation& c) const;
  // Whether the first device that has the MAC is on another pair.
  bool IsOnOtherPair(const Conversation& c) const;
  bool MayUse(const Who& who, const Conversation& c, const IpAddress& ip) const;
  bool MayBeAnybodys(const Conversation& c) const;
  bool HasDevices(const Conversation& c) const;
  Mode ModeOf(const Who& who, const Conversation& c) const;
  OracleAnswer Refuse(const Who& who, const Conversation& c, Reason reason) const;
  std::optional<RuleSpec> MatchRules(const Who& who, const Conversation& c, bool by_peer) const;
  Reason CheckAddresses(const Who& who, const Conversation& c, bool sent_by_peer) const;
  std::optional<OracleAnswer> DeniedByOverlay(const Who& who, const Conversation& c) const;
  OracleAnswer DecideNew(const Conversation& c, bool by_peer, std::optional<RuleSpec>& rule) const;
  // --- one frame
  static Conversation ConversationOf(const Packet& packet, Side side, uint16_t pair);
  static std::optional<Conversation> QuotedConversation(const Packet& packet, Side side,
                                                        uint16_t pair);
  // Nothing: the rules decide.
  std::optional<OracleAnswer> JudgeGuarded(const Packet& packet, Side side,
                                           const Conversation& c) const;
  OracleAnswer JudgeLayer2(const Packet& packet, Side side, const Conversation& c) const;
  OracleAnswer JudgeArp(const Packet& packet, Side side, const Conversation& c) const;
  std::optional<OracleAnswer> JudgeNeighbour(const Packet& packet, Side side,
                                             const Conversation& c) const;
  Reason JudgeDhcp(const Packet& packet, Side side, const Conversation& c, const Who& who) const;
  OracleAnswer JudgeError(const Packet& packet, Side side, uint16_t pair);
  OracleAnswer JudgePacket(const Packet& packet, Side side, const Conversation& c);
  OracleAnswer JudgeFirst(const Packet& packet, Side side, const Conversation& c);
  OracleAnswer JudgeMidstream(const Packet& packet, Side side, const Conversation& c,
                              const Who& who, Flow& flow) const;
  // --- flows
  // The live flow, decided again if the policy has changed; end() and, in *revoked, why not.
  FlowMap::iterator Lookup(const Conversation& c, std::optional<OracleAnswer>* revoked);
  bool IsExpired(const Conversation& c, const Flow& flow) const;
  TcpOutcome AdvanceTcp(Flow& flow, bool from_initiator, const Packet& packet);
  bool HasFairShare(uint32_t device_number) const;
  uint32_t NumberOf(const std::string& device) const;
  bool Admit(const Conversation& c, const Flow& flow);

  PolicySpec spec_;
  uint64_t policy_ = 0;
  int64_t policy_time_ = 0;
  uint64_t adopt_until_ns_;
  size_t capacity_;
  uint64_t now_ns_ = 0;
  uint64_t evictable_counter_ = 0;
  FlowMap flows_;
  DeviceSlots device_numbers_;
  std::map<std::string, uint32_t> number_of_;
};

// Whether a packet of `sender` to `ip` is for many: a group, the limited broadcast address, or the
// last address of the subnet of /8 to /28 that both are in.
bool IsForMany(const IpAddress& ip, const IpAddress& sender);

}  // namespace cordon::dp::testing
