// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/peer_policy.h"

#include <cstdio>
#include <string>

namespace cordon::bench {
namespace {

std::string Ip(uint32_t ip) {
  char text[20];
  std::snprintf(text, sizeof text, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
                ip & 255);
  return text;
}

std::string Mac(uint64_t mac) {
  char text[20];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x",
                static_cast<unsigned>(mac >> 40 & 255), static_cast<unsigned>(mac >> 32 & 255),
                static_cast<unsigned>(mac >> 24 & 255), static_cast<unsigned>(mac >> 16 & 255),
                static_cast<unsigned>(mac >> 8 & 255), static_cast<unsigned>(mac & 255));
  return text;
}

std::string_view NameOf(uint8_t protocol) { return protocol == kTcp ? "tcp" : "udp"; }

// The three shapes of rules; each is one exact look-up once the packet's fields are masked.
enum class RuleShape { kHost, kNet, kNetAndBlock };
RuleShape ShapeOf(const ModelRule& rule) {
  if (rule.first_port != rule.last_port) return RuleShape::kNetAndBlock;
  return rule.length == 32 ? RuleShape::kHost : RuleShape::kNet;
}

void WriteOpenFlowRule(std::ostream& out, const ModelDevice& device, const ModelRule& rule,
                       Tracking tracking) {
  char ports[32];
  if (rule.first_port == rule.last_port) {
    std::snprintf(ports, sizeof ports, "%u", rule.first_port);
  } else {
    std::snprintf(ports, sizeof ports, "0x%04x/0xff00", rule.first_port);
  }
  const bool on = tracking == Tracking::kOn;
  out << "table=1,priority=100," << (on ? "ct_state=+trk+new," : "") << NameOf(rule.protocol)
      << ",nw_src=" << Ip(device.ip) << ",nw_dst=" << Ip(rule.network) << '/' << rule.length
      << ",tp_dst=" << ports << ",actions=" << (on ? "ct(commit)," : "") << "output:2\n";
}

void WriteSet(std::ostream& out, const Model& model, const char* name, RuleShape shape) {
  bool empty = true;
  for (const ModelDevice& device : model.devices) {
    for (const ModelRule& rule : device.rules) {
      if (ShapeOf(rule) != shape) continue;
      if (empty) {
        out << " set " << name
            << " { type ipv4_addr . ipv4_addr . inet_proto . inet_service; elements = {\n";
      }
      empty = false;
      out << Ip(device.ip) << " . " << Ip(rule.network) << " . " << unsigned{rule.protocol} << " . "
          << rule.first_port << ",\n";
    }
  }
  if (empty) {
    out << " set " << name << " { type ipv4_addr . ipv4_addr . inet_proto . inet_service;\n }\n";
  } else {
    out << " } }\n";
  }
}

}  // namespace

void WriteDocuments(std::ostream& out, const Model& model, WhichRules which) {
  out << "kind: Gateway\nname: bench\npairs: [{name: bench}]\nunknown_device: deny\n";
  for (size_t i = 0; i < model.devices.size(); ++i) {
    const ModelDevice& device = model.devices[i];
    out << "---\nkind: Profile\nname: p" << i << "\nrules:\n";
    int number = 0;
    for (const ModelRule& rule : which == WhichRules::kFirst ? device.rules : device.other_rules) {
      out << "  - {id: r" << number++ << ", initiator: device, peer: [" << Ip(rule.network) << '/'
          << rule.length << "], protocol: " << NameOf(rule.protocol) << ", peer_ports: [\""
          << rule.first_port << '-' << rule.last_port << "\"], reason: bench}\n";
    }
    out << "---\nkind: Device\nname: d" << i << "\nidentity: {mac: [\"" << Mac(device.mac)
        << "\"], ip: [" << Ip(device.ip) << "]}\nprofile: p" << i
        << "\ngateway: bench\npair: bench\nmode: enforce\n";
  }
}

void WriteOpenFlow(std::ostream& out, const Model& model, Tracking tracking) {
  const bool on = tracking == Tracking::kOn;
  out << "table=0,priority=0,actions=drop\ntable=1,priority=0,actions=drop\n";
  if (on) {
    out << "table=0,priority=50,in_port=2,ip,actions=ct(table=2)\n"
           "table=1,priority=200,ct_state=+trk+est,ip,actions=output:2\n"
           "table=2,priority=0,actions=drop\n"
           "table=2,priority=200,ct_state=+trk+est,ip,actions=output:1\n";
  } else {
    out << "table=0,priority=50,in_port=2,actions=output:1\n";
  }
  for (const ModelDevice& device : model.devices) {
    out << "table=0,priority=100,in_port=1,dl_src=" << Mac(device.mac)
        << ",ip,nw_src=" << Ip(device.ip) << ",actions=" << (on ? "ct(table=1)" : "goto_table:1")
        << '\n';
    for (const ModelRule& rule : device.rules) WriteOpenFlowRule(out, device, rule, tracking);
  }
}

void WriteNftables(std::ostream& out, const Model& model, Tracking tracking) {
  const bool on = tracking == Tracking::kOn;
  out << "table " << (on ? "ip" : "bridge") << " bench {\n";
  out << " set owners { type ether_addr . ipv4_addr; elements = {\n";
  for (const ModelDevice& device : model.devices) {
    out << Mac(device.mac) << " . " << Ip(device.ip) << ",\n";
  }
  out << " } }\n";
  WriteSet(out, model, "hosts", RuleShape::kHost);
  WriteSet(out, model, "nets", RuleShape::kNet);
  WriteSet(out, model, "blocks", RuleShape::kNetAndBlock);
  out << " chain forward { type filter hook forward priority 0; policy drop;\n"
      << (on ? "  ct state established accept\n" : "  iifname \"bench-net\" accept\n")
      << "  ether saddr . ip saddr != @owners drop\n"
      << (on ? "  ct state != new drop\n" : "")
      << "  ip saddr . ip daddr . ip protocol . th dport @hosts accept\n"
         "  ip saddr . ip daddr & 255.255.255.0 . ip protocol . th dport @nets accept\n"
         "  ip saddr . ip daddr & 255.255.255.0 . ip protocol . th dport & 0xff00 @blocks accept\n"
         " }\n}\n";
}

}  // namespace cordon::bench
