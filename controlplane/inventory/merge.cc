// SPDX-License-Identifier: Apache-2.0
// MergeDevices: rows that mean the same device become one candidate, each candidate finds its
// device by its keys, and what contradicts itself or the inventory is left out whole.
#include <algorithm>
#include <deque>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "controlplane/inventory/cell.h"
#include "controlplane/inventory/csv_import.h"
#include "controlplane/inventory/device_fields.h"

namespace cordon::cp {
namespace {

// What a device is known by, strongest first. Empty text: the device has no such key.
std::string SerialKey(const Device& device) {
  if (device.serial.empty() || device.vendor.empty()) return {};
  return FoldedCell(device.serial) + '\n' + FoldedCell(device.vendor);
}
std::string TagKey(const Device& device) { return FoldedCell(device.asset_tag); }

using KeyIndex = std::unordered_map<std::string, std::vector<size_t>>;
using MacIndex = std::unordered_map<dp::MacAddress, std::vector<size_t>>;

struct DeviceIndex {
  KeyIndex serials, tags;
  MacIndex macs;

  explicit DeviceIndex(const std::vector<Device>& devices) {
    for (size_t i = 0; i < devices.size(); ++i) {
      const std::string serial = SerialKey(devices[i]);
      const std::string tag = TagKey(devices[i]);
      if (!serial.empty()) serials[serial].push_back(i);
      if (!tag.empty()) tags[tag].push_back(i);
      for (const dp::MacAddress mac : devices[i].macs) macs[mac].push_back(i);
    }
  }
};

// One device as the file describes it, in one or more rows.
struct Candidate {
  Device device;
  std::vector<size_t> rows;
  std::optional<size_t> target;  // index of the existing device; none: a new one
  bool refused = false;
};

// Sets of rows that share a key.
class RowSets {
 public:
  explicit RowSets(size_t size) : parents_(size) {
    std::iota(parents_.begin(), parents_.end(), size_t{0});
  }
  size_t Find(size_t row) {
    while (parents_[row] != row) row = parents_[row] = parents_[parents_[row]];
    return row;
  }
  // The earliest row stands for the set.
  void Join(size_t a, size_t b) {
    a = Find(a);
    b = Find(b);
    parents_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<size_t> parents_;
};

std::string Identified(const Device& device) {
  if (!device.serial.empty()) return "serial " + device.serial;
  if (!device.macs.empty()) return "MAC " + dp::ToString(device.macs[0]);
  return "asset tag " + device.asset_tag;
}

struct BoundIp {
  std::string gateway, pair;
  dp::IpAddress ip;
  friend bool operator==(const BoundIp&, const BoundIp&) = default;
};
struct BoundIpHash {
  size_t operator()(const BoundIp& bound) const {
    return std::hash<dp::IpAddress>()(bound.ip) ^ std::hash<std::string>()(bound.pair) * 31 ^
           std::hash<std::string>()(bound.gateway) * 17;
  }
};

class Merger {
 public:
  Merger(const std::vector<Device>& existing, const std::vector<ImportedDevice>& imported,
         std::string_view file)
      : existing_(existing),
        imported_(imported),
        file_(file),
        source_(std::string(kImportSource) + std::string(file)),
        index_(existing),
        listed_(existing.size(), false) {}

  MergeResult Run() {
    GroupRows();
    RefuseSharedSerials();
    for (Candidate& candidate : candidates_) FindTarget(candidate);
    RefuseSharedTargets();
    UpdateAll();
    RefuseSharedIps();
    Collect();
    return std::move(result_);
  }

 private:
  void GroupRows() {
    RowSets sets(imported_.size());
    std::unordered_map<std::string, size_t> serials, tags;
    std::unordered_map<dp::MacAddress, size_t> macs;
    for (size_t row = 0; row < imported_.size(); ++row) {
      const Device& device = imported_[row].device;
      const std::string serial = SerialKey(device), tag = TagKey(device);
      if (!serial.empty()) sets.Join(row, serials.emplace(serial, row).first->second);
      if (!tag.empty()) sets.Join(row, tags.emplace(tag, row).first->second);
      for (const dp::MacAddress mac : device.macs) {
        sets.Join(row, macs.emplace(mac, row).first->second);
      }
    }
    std::vector<size_t> candidate_of(imported_.size());
    for (size_t row = 0; row < imported_.size(); ++row) {
      const size_t first = sets.Find(row);
      if (first == row) {
        candidate_of[row] = candidates_.size();
        candidates_.push_back({imported_[row].device, {row}, std::nullopt, false});
      } else {
        AddRow(candidates_[candidate_of[first]], row);
      }
    }
  }

  void AddRow(Candidate& candidate, size_t row) {
    candidate.rows.push_back(row);
    const auto fields = Combine(candidate.device, imported_[row].device);
    if (fields.empty()) return;
    std::string list;
    for (const std::string_view field : fields) {
      list += (list.empty() ? "" : ", ") + std::string(field);
    }
    candidate.refused = true;
    AddConflict(row, "is about the same device (" + Identified(candidate.device) + ") as line " +
                         std::to_string(imported_[candidate.rows[0]].line) +
                         " but disagrees in: " + list + "; correct the file, neither row was used");
  }

  std::vector<size_t> Owners(const KeyIndex& index, const std::string& key) const {
    const auto found = key.empty() ? index.end() : index.find(key);
    return found == index.end() ? std::vector<size_t>() : found->second;
  }

  // The same MAC may be known on several VLANs; the row's VLAN, if it names one, tells which.
  std::vector<size_t> MacOwners(const Device& row) const {
    std::vector<size_t> owners;
    for (const dp::MacAddress mac : row.macs) {
      const auto found = index_.macs.find(mac);
      if (found == index_.macs.end()) continue;
      const bool ambiguous = found->second.size() > 1 && row.vlan != dp::VlanTags{};
      for (const size_t owner : found->second) {
        if (ambiguous && existing_[owner].vlan != row.vlan) continue;
        if (std::find(owners.begin(), owners.end(), owner) == owners.end()) {
          owners.push_back(owner);
        }
      }
    }
    return owners;
  }

  void FindTarget(Candidate& candidate) {
    struct Match {
      std::string_view key;
      std::vector<size_t> devices;
    };
    const Device& row = candidate.device;
    const Match matches[] = {{"serial number", Owners(index_.serials, SerialKey(row))},
                             {"MAC", MacOwners(row)},
                             {"asset tag", Owners(index_.tags, TagKey(row))}};
    std::string_view target_key;
    for (const Match& match : matches) {
      for (const size_t device : match.devices) {
        listed_[device] = true;
        if (!candidate.target) {
          candidate.target = device;
          target_key = match.key;
        } else if (*candidate.target != device) {
          Refuse(candidate, "matches two devices: its " + std::string(target_key) + " belongs to " +
                                existing_[*candidate.target].name + ", its " +
                                std::string(match.key) + " to " + existing_[device].name);
          return;
        }
      }
    }
    if (candidate.target) CheckSerial(candidate, target_key);
  }

  void CheckSerial(Candidate& candidate, std::string_view key) {
    const Device& known = existing_[*candidate.target];
    const std::string& serial = candidate.device.serial;
    if (serial.empty() || known.serial.empty()) return;
    if (FoldedCell(serial) == FoldedCell(known.serial)) return;
    Refuse(candidate, "its " + std::string(key) + " belongs to " + known.name +
                          ", whose serial number is " + known.serial + ", not " + serial +
                          "; if the device was replaced, change or remove " + known.name +
                          " first");
  }

  // A vendor from one row and a serial number from another can make a key that no row had.
  void RefuseSharedSerials() {
    std::unordered_map<std::string, size_t> first_of;
    for (size_t i = 0; i < candidates_.size(); ++i) {
      const std::string serial = SerialKey(candidates_[i].device);
      if (serial.empty()) continue;
      const auto [first, is_new] = first_of.emplace(serial, i);
      if (!is_new)
        RefuseBoth(candidates_[first->second], candidates_[i],
                   "gives " + Identified(candidates_[i].device));
    }
  }

  void RefuseBoth(Candidate& a, Candidate& b, const std::string& why) {
    const auto line = [this](const Candidate& of) {
      return std::to_string(imported_[of.rows[0]].line);
    };
    Refuse(a, why + ", and so does line " + line(b));
    Refuse(b, why + ", and so does line " + line(a));
  }

  void RefuseSharedTargets() {
    std::unordered_map<size_t, size_t> first_of;  // existing device -> candidate
    for (size_t i = 0; i < candidates_.size(); ++i) {
      Candidate& candidate = candidates_[i];
      if (!candidate.target) continue;
      const auto [first, is_new] = first_of.emplace(*candidate.target, i);
      if (is_new) continue;
      RefuseBoth(candidates_[first->second], candidate,
                 "matches " + existing_[*candidate.target].name);
    }
  }

  void UpdateAll() {
    for (Candidate& candidate : candidates_) {
      if (candidate.target) {
        candidate.device = Updated(existing_[*candidate.target], candidate.device, source_);
      } else {
        candidate.device.source = source_;
      }
    }
  }

  // What a candidate or an existing device binds, in the state that the merge would leave behind.
  // A refused candidate falls back to its existing device, which may bring the next clash to light.
  void RefuseSharedIps() {
    // owner: candidate i, or candidates_.size() + existing device
    std::unordered_map<BoundIp, std::vector<size_t>, BoundIpHash> owners;
    std::deque<BoundIp> clashes;
    const auto bind = [&](const Device& device, size_t owner) {
      if (device.gateway.empty()) return;
      for (const dp::IpAddress& ip : device.ips) {
        auto& list = owners[{device.gateway, device.pair, ip}];
        if (!list.empty() && list.back() == owner) continue;
        list.push_back(owner);
        if (list.size() > 1) clashes.push_back({device.gateway, device.pair, ip});
      }
    };
    const auto fall_back = [&](const Candidate& candidate) {
      if (candidate.target)
        bind(existing_[*candidate.target], candidates_.size() + *candidate.target);
    };
    std::vector<bool> targeted(existing_.size(), false);
    for (size_t i = 0; i < candidates_.size(); ++i) {
      const Candidate& candidate = candidates_[i];
      if (candidate.refused) continue;
      if (candidate.target) targeted[*candidate.target] = true;
      bind(candidate.device, i);
    }
    for (size_t i = 0; i < existing_.size(); ++i) {
      if (!targeted[i]) bind(existing_[i], candidates_.size() + i);
    }
    while (!clashes.empty()) {
      const BoundIp clash = clashes.front();
      clashes.pop_front();
      std::vector<size_t>& list = owners[clash];
      std::erase_if(list, [this](size_t owner) {
        return owner < candidates_.size() && candidates_[owner].refused;
      });
      const std::vector<size_t> live = list;  // falling back may add to the list
      if (live.size() > 1) RefuseOwners(clash, live, fall_back);
    }
  }

  template <typename FallBack>
  void RefuseOwners(const BoundIp& clash, const std::vector<size_t>& live,
                    const FallBack& fall_back) {
    const auto name = [this](size_t owner) {
      return owner < candidates_.size()
                 ? candidates_[owner].device.name + " (line " +
                       std::to_string(imported_[candidates_[owner].rows[0]].line) + ")"
                 : existing_[owner - candidates_.size()].name;
    };
    for (const size_t owner : live) {
      if (owner >= candidates_.size()) continue;
      Candidate& candidate = candidates_[owner];
      if (candidate.target && candidate.device == existing_[*candidate.target]) continue;
      const size_t other = owner == live[0] ? live[1] : live[0];
      Refuse(candidate, "IP " + dp::ToString(clash.ip) + " is already bound to " + name(other) +
                            " on pair " + clash.gateway + "/" + clash.pair);
      fall_back(candidate);
    }
  }

  void Collect() {
    result_.result = existing_;
    NameSet names;
    for (const Device& device : existing_) names.emplace(device.name, 1);
    for (Candidate& candidate : candidates_) {
      if (candidate.refused) continue;
      if (!candidate.target) {
        candidate.device.name = UniqueName(candidate.device.name, names);
        result_.added.push_back(candidate.device.name);
        result_.result.push_back(std::move(candidate.device));
        continue;
      }
      Device& known = result_.result[*candidate.target];
      if (known == candidate.device) {
        ++result_.unchanged;
        continue;
      }
      result_.changed.push_back({known.name, DescribeChange(known, candidate.device)});
      known = std::move(candidate.device);
    }
    for (size_t i = 0; i < existing_.size(); ++i) {
      if (!listed_[i] && existing_[i].source == source_) result_.stale.push_back(existing_[i].name);
    }
    std::sort(result_.stale.begin(), result_.stale.end());
    CollectConflicts();
  }

  void CollectConflicts() {
    std::stable_sort(conflicts_.begin(), conflicts_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [row, message] : conflicts_) {
      if (result_.conflicts.size() == kMaxCsvErrors) {
        result_.conflicts.push_back(
            {file_,
             "and " + std::to_string(conflicts_.size() - kMaxCsvErrors) + " more conflicts"});
        break;
      }
      result_.conflicts.push_back(
          {file_ + ":" + std::to_string(imported_[row].line), std::move(message)});
    }
  }

  void Refuse(Candidate& candidate, std::string message) {
    if (candidate.refused) return;  // one reason is enough
    candidate.refused = true;
    AddConflict(candidate.rows[0], std::move(message));
  }
  void AddConflict(size_t row, std::string message) {
    conflicts_.emplace_back(row, std::move(message));
  }

  const std::vector<Device>& existing_;
  const std::vector<ImportedDevice>& imported_;
  const std::string file_;
  const std::string source_;
  const DeviceIndex index_;
  std::vector<Candidate> candidates_;
  std::vector<bool> listed_;  // existing devices that a row is about, refused or not
  std::vector<std::pair<size_t, std::string>> conflicts_;  // row, message
  MergeResult result_;
};

}  // namespace

MergeResult MergeDevices(const std::vector<Device>& existing,
                         const std::vector<ImportedDevice>& imported, std::string_view file) {
  return Merger(existing, imported, file).Run();
}

}  // namespace cordon::cp
