// SPDX-License-Identifier: Apache-2.0
// An import is a change like any other, but what is wrong with one row does not keep the others
// out.
#include <algorithm>
#include <set>
#include <utility>

#include "controlplane/engine/engine.h"

namespace cordon::cp {
namespace {

// Rows that contradict the rest only show after the ones before them are out.
constexpr int kRounds = 8;

std::vector<Device> DevicesOf(const Configuration& configuration) {
  std::vector<Device> devices;
  for (const auto& [name, device] : configuration.devices) devices.push_back(device);
  return devices;
}

Configuration WithDevices(const Configuration& before, std::vector<Device> devices) {
  Configuration after = before;
  after.devices.clear();
  for (Device& device : devices) after.devices[device.name] = std::move(device);
  return after;
}

// "inventory.csv:17: ..." -> 17; 0 if the fault is not about a row of that file.
int RowOf(const InputFault& fault, const std::string& file) {
  if (!fault.place.starts_with(file + ":")) return 0;
  return std::atoi(fault.place.c_str() + file.size() + 1);
}

// One attempt with the rows that are left.
struct Attempt {
  MergeResult merged;
  Configuration after;
  Places places;
};

Attempt MergeRows(const Snapshot& before, const std::vector<ImportedDevice>& rows,
                  const std::string& file) {
  Attempt attempt;
  attempt.merged = MergeDevices(DevicesOf(before.configuration), rows, file);
  attempt.after = WithDevices(before.configuration, attempt.merged.result);
  for (const ImportedDevice& row : rows) {
    attempt.places["Device " + row.device.name] = file + ":" + std::to_string(row.line);
  }
  return attempt;
}

void Describe(MergeResult merged, ImportResult& result) {
  result.added = std::move(merged.added);
  result.changed = std::move(merged.changed);
  result.unchanged = static_cast<uint32_t>(merged.unchanged);
  result.conflicts = std::move(merged.conflicts);
  result.stale = std::move(merged.stale);
}

}  // namespace

absl::StatusOr<ImportResult> Engine::Import(const ImportRequest& request,
                                            const ChangeContext& context) {
  ImportResult result;
  ColumnMapping mapping = DefaultCmmsMapping();
  if (!request.mapping.empty()) {
    ParsedMapping parsed = ParseColumnMapping(request.mapping_file, request.mapping);
    if (!parsed.faults.empty()) {
      result.errors = std::move(parsed.faults);
      return result;
    }
    mapping = std::move(parsed.mapping);
  }
  CsvImport csv = ImportCsv(request.file, request.content, mapping);
  result.rows = static_cast<uint32_t>(csv.rows);
  result.errors = std::move(csv.errors);

  std::lock_guard change_lock(changing_);
  const auto before = Current();
  for (int round = 0; round < kRounds; ++round) {
    Attempt attempt = MergeRows(*before, csv.devices, request.file);
    const Change change{
        .after = attempt.after, .places = attempt.places, .origin = "import " + request.file};
    absl::StatusOr<ChangeResult> made = Make(before, change, context);
    if (!made.ok()) return made.status();
    if (made->faults.empty()) {
      Describe(std::move(attempt.merged), result);
      result.generation = made->generation;
      result.gateways = std::move(made->gateways);
      return result;
    }
    std::set<int> refused;
    for (const InputFault& fault : made->faults) {
      if (const int row = RowOf(fault, request.file)) refused.insert(row);
    }
    std::ranges::move(made->faults, std::back_inserter(result.errors));
    if (refused.empty()) break;
    std::erase_if(csv.devices,
                  [&](const ImportedDevice& row) { return refused.contains(row.line); });
  }
  return result;
}

}  // namespace cordon::cp
