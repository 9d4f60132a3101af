// SPDX-License-Identifier: Apache-2.0
// bench-policy: a fleet, its policy in the languages of those who are compared, and captures
// for the pcap source.
//
//   bench-policy MODEL-OPTIONS --write FILE [--write FILE]...
//
// The name of a file says what is written into it:
//   device.pcap   frames of the flows, as the devices send them
//   network.pcap  the answers to those that must pass
//   syn.pcap      first frames of the flows
//   policy.yaml, other.yaml   the policy, and the other one, as Cordon documents
//   ovs.flows, ovs-ct.flows   Open vSwitch, without and with connection tracking
//   bridge.nft, bridge-ct.nft nftables in a bridge, the second with connection tracking
#include <array>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/model_options.h"
#include "tests/bench/peer_policy.h"

namespace {

using namespace cordon::bench;

void WriteCapture(std::ofstream& out, const TrafficOptions& options, const Model& model,
                  Segment segment, bool from_device) {
  const uint32_t file_header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
  out.write(reinterpret_cast<const char*>(file_header), sizeof file_header);
  std::array<uint8_t, kMaxFrame> frame;
  for (uint32_t i = 0; i < model.flows.size(); ++i) {
    const ModelFlow& flow = model.flows[i];
    const uint32_t tag = TagOf(flow, i);
    if (!from_device && (tag & kRefusedBit) != 0) continue;
    const FrameRequest request{options.shape, segment, from_device, options.SizeOf(i), tag};
    const auto size =
        static_cast<uint32_t>(BuildFrame(request, model.devices[flow.device], flow, frame.data()));
    const uint32_t header[4] = {0, 0, size, size};
    out.write(reinterpret_cast<const char*>(header), sizeof header);
    out.write(reinterpret_cast<const char*>(frame.data()), size);
  }
}

bool Write(const std::string& path, const TrafficOptions& options, const Model& model) {
  const std::string name = path.substr(path.rfind('/') + 1);
  std::ofstream out(path, std::ios::binary);
  if (name == "device.pcap" || name == "network.pcap") {
    WriteCapture(out, options, model, Segment::kData, name == "device.pcap");
  } else if (name == "syn.pcap") {
    WriteCapture(out, options, model, Segment::kSyn, true);
  } else if (name == "policy.yaml" || name == "other.yaml") {
    WriteDocuments(out, model, name == "policy.yaml" ? WhichRules::kFirst : WhichRules::kOther);
  } else if (name == "ovs.flows" || name == "ovs-ct.flows") {
    WriteOpenFlow(out, model, name == "ovs.flows" ? Tracking::kOff : Tracking::kOn);
  } else if (name == "bridge.nft" || name == "bridge-ct.nft") {
    WriteNftables(out, model, name == "bridge.nft" ? Tracking::kOff : Tracking::kOn);
  } else {
    std::cerr << "bench-policy: " << name << " is no known kind of file\n";
    return false;
  }
  out.flush();
  if (!out) std::cerr << "bench-policy: " << path << " cannot be written\n";
  return out.good();
}

}  // namespace

int main(int argc, char** argv) {
  TrafficOptions options;
  std::vector<std::string> paths;
  bool usable = argc % 2 == 1;
  for (int i = 1; i + 1 < argc && usable; i += 2) {
    if (std::string_view(argv[i]) == "--write") {
      paths.emplace_back(argv[i + 1]);
    } else {
      usable = TakeModelOption(argv[i], argv[i + 1], options);
    }
  }
  if (!usable || paths.empty()) {
    std::cerr << "usage: bench-policy --write FILE...\n  " << kModelUsage << '\n';
    return 2;
  }
  const Model model = MakeModel(options.model);
  for (const std::string& path : paths) {
    if (!Write(path, options, model)) return 1;
  }
  return 0;
}
