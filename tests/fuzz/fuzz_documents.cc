// SPDX-License-Identifier: Apache-2.0
// Policy documents of arbitrary bytes, the whole way: parse, merge, check, assemble, compile. What
// must hold: no crash and no endless work; documents that are read are written so that they read
// the same again; a configuration without faults compiles.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "controlplane/documents/documents.h"
#include "controlplane/policy/assemble.h"
#include "dataplane/policy/table.h"

namespace cordon::cp {
namespace {

void Require(bool holds, const char* what, const std::string& detail) {
  if (holds) return;
  std::fprintf(stderr, "fuzz_documents: broken: %s: %s\n", what, detail.c_str());
  std::abort();
}

void CheckRoundTrip(const ParsedDocuments& parsed) {
  std::string text;
  for (const Peer& peer : parsed.peers) text += ToYaml(peer) + "---\n";
  for (const Profile& profile : parsed.profiles) text += ToYaml(profile) + "---\n";
  for (const GatewayConfig& gateway : parsed.gateways) text += ToYaml(gateway) + "---\n";
  for (const Device& device : parsed.devices) text += ToYaml(device) + "---\n";
  const ParsedDocuments again = ParseDocuments({{"again.yaml", text}});
  Require(again.faults.empty(), "what was written has faults", text);
  Require(Merge({}, again) == Merge({}, parsed), "what was written reads differently", text);
}

void CheckCompiles(const Configuration& configuration) {
  for (const auto& [name, gateway] : configuration.gateways) {
    const dp::CompileResult compiled = dp::Compile(Assemble(configuration, name, 1));
    Require(compiled.table != nullptr, "a configuration without faults does not compile",
            compiled.faults.empty() ? name
                                    : compiled.faults[0].path + ": " + compiled.faults[0].message);
  }
}

void Walk(const std::string& content) {
  const ParsedDocuments parsed = ParseDocuments({{"fuzz.yaml", content}});
  for (const InputFault& fault : parsed.faults) {
    Require(fault.place.starts_with("fuzz.yaml"), "a fault without its place", fault.place);
    Require(!fault.message.empty(), "a fault without words", fault.place);
  }
  const Configuration configuration = Merge({}, parsed);
  const Checked checked = Check(configuration, parsed.places);
  DescribeEffects({}, configuration);
  if (!parsed.faults.empty()) return;
  CheckRoundTrip(parsed);
  if (checked.faults.empty()) CheckCompiles(configuration);
}

}  // namespace
}  // namespace cordon::cp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 65536) return 0;
  cordon::cp::Walk(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
