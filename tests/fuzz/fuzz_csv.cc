// SPDX-License-Identifier: Apache-2.0
// An inventory file of arbitrary bytes, imported and merged twice. What must hold: nothing is read
// or written outside (sanitizers), each fault names its place, names are resource names and unique,
// and the second merge changes nothing.
#include <cstdio>
#include <cstdlib>
#include <set>

#include "controlplane/inventory/csv_import.h"

namespace cordon::cp {
namespace {

constexpr std::string_view kFile = "fuzz.csv";

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz_csv: broken: %s\n", what);
  std::abort();
}

void CheckFaults(const std::vector<InputFault>& faults) {
  Require(faults.size() <= 2 * kMaxCsvErrors, "faults without bound");
  for (const InputFault& fault : faults) {
    Require(fault.place.starts_with(kFile), "a fault without place");
    Require(!fault.message.empty(), "a fault without message");
  }
}

void CheckName(const std::string& name) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyz0123456789";
  Require(!name.empty() && name.size() <= 63, "size of a name");
  Require(kFirst.find(name[0]) != std::string_view::npos, "first character of a name");
  Require(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string::npos,
          "characters of a name");
}

void CheckDevices(const std::vector<Device>& devices) {
  std::set<std::string> names;
  for (const Device& device : devices) {
    CheckName(device.name);
    Require(names.insert(device.name).second, "two devices with one name");
    Require(!device.macs.empty() || !device.serial.empty() || !device.asset_tag.empty(),
            "a device that could not be known again");
    for (const dp::MacAddress mac : device.macs) {
      Require(!mac.IsGroup() && !mac.IsZero(), "MAC of a device");
    }
  }
}

void Check(std::string_view content) {
  const CsvImport import = ImportCsv(kFile, content, DefaultCmmsMapping());
  CheckFaults(import.errors);
  Require(import.devices.size() <= static_cast<size_t>(import.rows), "more devices than rows");
  const MergeResult first = MergeDevices({}, import.devices, kFile);
  CheckFaults(first.conflicts);
  CheckDevices(first.result);
  Require(first.changed.empty() && first.added.size() == first.result.size(), "first merge");
  const MergeResult second = MergeDevices(first.result, import.devices, kFile);
  CheckFaults(second.conflicts);
  Require(second.result == first.result, "the second merge changed something");
  Require(second.added.empty() && second.changed.empty(), "the second merge reports a change");
}

}  // namespace
}  // namespace cordon::cp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cordon::cp::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
