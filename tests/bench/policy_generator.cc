// SPDX-License-Identifier: Apache-2.0
// bench-policy: a policy of D devices x R rules as Cordon documents, and traces that exercise it.
//
//   bench-policy --devices 1000 --rules 16 --flows 10000 --size 60 --deny 10 --out DIR
//
// Writes DIR/policy.yaml, DIR/device.pcap (from the devices) and DIR/network.pcap (the replies to
// what must pass). Deterministic. Every frame ends in a 32-bit big-endian tag: the flow's number,
// with bit 31 set if the policy must refuse it, so that the receiver knows what each frame should
// have met. Rules: half a host and one port, 30 % a /24 and one port, 20 % a /24 and a block of 256
// ports; 60 % TCP. Refused flows: unknown server 40 %, wrong port 30 %, wrong protocol 30 %. Flows
// are uniform over devices and rules, which is the worst case for caches.
#include <sys/stat.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr uint8_t kTcp = 6, kUdp = 17;
constexpr uint8_t kNetworkMac[6] = {0x02, 0xff, 0, 0, 0, 1};
constexpr uint32_t kDenyBit = 0x80000000u;
constexpr uint16_t kServicePorts[] = {104, 11112, 2575, 443,  123,  53, 514,  389,
                                      636, 8443,  2762, 5000, 6661, 80, 1883, 8883};

struct Options {
  uint32_t devices = 1000, rules = 16, flows = 10000, deny_percent = 10;
  size_t size = 60;
  std::string out = ".";
};

struct Rule {
  uint8_t protocol;
  uint32_t network;
  int length;
  uint16_t first_port, last_port;
};
struct Device {
  uint8_t mac[6];
  uint32_t ip;
  std::vector<Rule> rules;
};
struct Flow {
  uint32_t device, peer;
  uint16_t device_port, peer_port;
  uint8_t protocol;
  bool refused;
};

class Random {
 public:
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(generator_() % n); }

 private:
  std::mt19937_64 generator_{42};
};

std::string IpText(uint32_t ip) {
  char text[20];
  std::snprintf(text, sizeof text, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
                ip & 255);
  return text;
}

Rule MakeRule(Random& random, const Device& device) {
  Rule rule{};
  const uint32_t shape = random.Below(10);
  rule.protocol = random.Below(10) < 6 ? kTcp : kUdp;
  uint32_t network = 0;
  bool used = true;
  while (used) {  // rules of one device never overlap: each has a /24 of its own
    network = 0xac100000u + (random.Below(4096) << 8);
    used = false;
    for (const Rule& other : device.rules) used |= (other.network & ~255u) == network;
  }
  rule.length = shape < 5 ? 32 : 24;
  rule.network = shape < 5 ? network + 1 + random.Below(254) : network;
  if (shape < 8) {
    rule.first_port = rule.last_port = kServicePorts[random.Below(16)];
  } else {
    rule.first_port = static_cast<uint16_t>(0x2000 + (random.Below(64) << 8));
    rule.last_port = static_cast<uint16_t>(rule.first_port + 255);
  }
  return rule;
}

std::vector<Device> MakeDevices(Random& random, const Options& options) {
  std::vector<Device> devices(options.devices);
  for (uint32_t i = 0; i < options.devices; ++i) {
    Device& device = devices[i];
    const uint8_t mac[6] = {0x02,
                            0x10,
                            static_cast<uint8_t>(i >> 24),
                            static_cast<uint8_t>(i >> 16),
                            static_cast<uint8_t>(i >> 8),
                            static_cast<uint8_t>(i)};
    std::memcpy(device.mac, mac, 6);
    device.ip = 0x0a000000u + 256 + i;
    for (uint32_t r = 0; r < options.rules; ++r) device.rules.push_back(MakeRule(random, device));
  }
  return devices;
}

std::vector<Flow> MakeFlows(Random& random, const Options& options,
                            const std::vector<Device>& devices) {
  std::vector<Flow> flows(options.flows);
  for (Flow& flow : flows) {
    flow.device = random.Below(options.devices);
    const Rule& rule = devices[flow.device].rules[random.Below(options.rules)];
    flow.protocol = rule.protocol;
    flow.peer = rule.length == 32 ? rule.network : rule.network + 1 + random.Below(254);
    flow.peer_port = static_cast<uint16_t>(rule.first_port +
                                           random.Below(rule.last_port - rule.first_port + 1u));
    flow.device_port = static_cast<uint16_t>(32768 + random.Below(28000));
    flow.refused = random.Below(100) < options.deny_percent;
    if (!flow.refused) continue;
    const uint32_t how = random.Below(10);
    if (how < 4) {
      flow.peer = 0xc0000200u + random.Below(254);
    } else if (how < 7) {
      flow.peer_port = static_cast<uint16_t>(40480 + random.Below(2000));
    } else {
      flow.protocol = static_cast<uint8_t>(kTcp + kUdp - flow.protocol);
    }
  }
  return flows;
}

void Put16(uint8_t* at, size_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
void Put32(uint8_t* at, uint32_t value) {
  Put16(at, value >> 16);
  Put16(at + 2, value & 0xffff);
}
uint32_t Sum(uint32_t sum, const uint8_t* bytes, size_t size) {
  for (size_t i = 0; i + 1 < size; i += 2)
    sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (size % 2 != 0) sum += static_cast<uint32_t>(bytes[size - 1] << 8);
  return sum;
}
uint16_t Fold(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// One frame of a flow, in the direction from the device or toward it, with right checksums.
void BuildFrame(uint8_t* frame, size_t size, const Device& device, const Flow& flow, uint32_t tag,
                bool from_device) {
  std::memset(frame, 0, size);
  std::memcpy(frame, from_device ? kNetworkMac : device.mac, 6);
  std::memcpy(frame + 6, from_device ? device.mac : kNetworkMac, 6);
  Put16(frame + 12, 0x0800);
  uint8_t* const ip = frame + 14;
  uint8_t* const l4 = ip + 20;
  const size_t ip_size = size - 14, l4_size = ip_size - 20;
  ip[0] = 0x45;
  Put16(ip + 2, ip_size);
  ip[8] = 64;
  ip[9] = flow.protocol;
  Put32(ip + 12, from_device ? device.ip : flow.peer);
  Put32(ip + 16, from_device ? flow.peer : device.ip);
  Put16(ip + 10, Fold(Sum(0, ip, 20)));
  Put16(l4, from_device ? flow.device_port : flow.peer_port);
  Put16(l4 + 2, from_device ? flow.peer_port : flow.device_port);
  Put32(frame + size - 4, tag);
  if (flow.protocol == kUdp) {
    Put16(l4 + 4, l4_size);
    return;
  }
  Put32(l4 + 4, from_device ? 1001 : 2001);
  Put32(l4 + 8, from_device ? 2001 : 1001);
  l4[12] = 0x50;
  l4[13] = 0x10;  // ACK
  Put16(l4 + 14, 65535);
  const uint32_t pseudo = Sum(0, ip + 12, 8) + kTcp + static_cast<uint32_t>(l4_size);
  Put16(l4 + 16, Fold(Sum(pseudo, l4, l4_size)));
}

class PcapFile {
 public:
  explicit PcapFile(const std::string& path) : file_(path, std::ios::binary) {
    const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    file_.write(reinterpret_cast<const char*>(header), sizeof header);
  }
  void Write(const uint8_t* frame, size_t size) {
    const uint32_t header[4] = {0, 0, static_cast<uint32_t>(size), static_cast<uint32_t>(size)};
    file_.write(reinterpret_cast<const char*>(header), sizeof header);
    file_.write(reinterpret_cast<const char*>(frame), static_cast<std::streamsize>(size));
  }

 private:
  std::ofstream file_;
};

void WriteTraces(const Options& options, const std::vector<Device>& devices,
                 const std::vector<Flow>& flows) {
  PcapFile from_device(options.out + "/device.pcap"), to_device(options.out + "/network.pcap");
  std::vector<uint8_t> frame(options.size);
  for (uint32_t i = 0; i < flows.size(); ++i) {
    const uint32_t tag = i | (flows[i].refused ? kDenyBit : 0);
    const Device& device = devices[flows[i].device];
    BuildFrame(frame.data(), frame.size(), device, flows[i], tag, true);
    from_device.Write(frame.data(), frame.size());
    if (flows[i].refused) continue;
    BuildFrame(frame.data(), frame.size(), device, flows[i], tag, false);
    to_device.Write(frame.data(), frame.size());
  }
}

void WritePolicy(const Options& options, const std::vector<Device>& devices) {
  std::ofstream out(options.out + "/policy.yaml");
  out << "kind: Gateway\nname: bench\npairs: [{name: bench}]\nunknown_device: deny\n";
  for (uint32_t i = 0; i < devices.size(); ++i) {
    const Device& device = devices[i];
    out << "---\nkind: Profile\nname: p" << i << "\nrules:\n";
    for (size_t r = 0; r < device.rules.size(); ++r) {
      const Rule& rule = device.rules[r];
      out << "  - {id: r" << r << ", initiator: device, peer: [" << IpText(rule.network) << '/'
          << rule.length << "], protocol: " << (rule.protocol == kTcp ? "tcp" : "udp")
          << ", peer_ports: [\"" << rule.first_port << '-' << rule.last_port
          << "\"], reason: bench}\n";
    }
    char mac[20];
    std::snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", device.mac[0], device.mac[1],
                  device.mac[2], device.mac[3], device.mac[4], device.mac[5]);
    out << "---\nkind: Device\nname: d" << i << "\nidentity: {mac: [\"" << mac << "\"], ip: ["
        << IpText(device.ip) << "]}\nprofile: p" << i
        << "\ngateway: bench\npair: bench\nmode: enforce\n";
  }
}

bool ParseOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    const auto number = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
    if (name == "--devices") {
      options.devices = number;
    } else if (name == "--rules") {
      options.rules = number;
    } else if (name == "--flows") {
      options.flows = number;
    } else if (name == "--deny") {
      options.deny_percent = number;
    } else if (name == "--size") {
      options.size = number;
    } else if (name == "--out") {
      options.out = value;
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && options.devices > 0 && options.rules > 0 && options.flows > 0 &&
         options.size >= 60 && options.size <= 1514;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!ParseOptions(argc, argv, options)) {
    std::cerr << "usage: bench-policy [--devices N] [--rules N] [--flows N] [--deny PERCENT] "
                 "[--size 60..1514] --out DIR\n";
    return 2;
  }
  mkdir(options.out.c_str(), 0755);
  Random random;
  const std::vector<Device> devices = MakeDevices(random, options);
  const std::vector<Flow> flows = MakeFlows(random, options, devices);
  WriteTraces(options, devices, flows);
  WritePolicy(options, devices);
  return 0;
}
