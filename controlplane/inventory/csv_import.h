// SPDX-License-Identifier: Apache-2.0
// Devices from a CMMS or any other CSV export.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/inventory/device.h"

namespace cordon::cp {

// Which column feeds which field. Field names are those of the Device document: name, mac, ip,
// vlan, vendor, model, class, location, serial, asset_tag, profile, gateway, pair, mode.
struct ColumnMapping {
  std::map<std::string, std::vector<std::string>> columns;  // field -> headers, first present wins
  std::map<std::string, std::string> defaults;  // field -> value where the cell is empty
  // class column's text -> class ("Pump, Infusion" -> infusion-pump); compared without case.
  std::map<std::string, std::string> class_names;
  char delimiter = 0;                        // 0: found out from the header line (, ; tab |)
  std::string value_separators = ";,| /\n";  // between several MACs or IPs in one cell
};

ColumnMapping DefaultCmmsMapping();  // the header names that common CMMS exports use

inline constexpr size_t kMaxCsvErrors = 1000;  // told one by one; one more says how many there were

struct ImportedDevice {
  Device device;
  int line = 0;
};
struct CsvImport {
  std::vector<ImportedDevice> devices;
  std::vector<InputFault> errors;  // rows that were left out
  int rows = 0;
};

// Reads a CSV (RFC 4180, with BOM, CRLF, quoted newlines; UTF-8 or Windows-1252). `file` names the
// place in messages. Never throws; a file without the needed columns is one error. Headers compare
// without case, spaces and punctuation; "n/a", "none" and the like count as empty cells. A row
// needs something to know the device by the next time: a MAC, a serial number with vendor, or an
// asset tag. Its name is the name column's text, else the asset tag, else vendor, model and serial
// number, else the MAC; brought into the form of a resource name, and numbered where it occurs
// twice.
CsvImport ImportCsv(std::string_view file, std::string_view content, const ColumnMapping& mapping);

struct MergeResult {
  std::vector<Device> result;  // all devices after the merge: existing ones, changed, added
  std::vector<std::string> added;
  struct Change {
    std::string device;
    std::vector<std::string> details;
  };
  std::vector<Change> changed;
  int unchanged = 0;
  // Rows that contradict what is known; they changed nothing. At most kMaxCsvErrors, and how many
  // more.
  std::vector<InputFault> conflicts;
  std::vector<std::string> stale;  // of the same source, no longer listed; they stay
};

// Matches by serial + vendor, then MAC, then asset tag, never by IP alone, and never renames.
// Importing the same file twice changes nothing. Fields that the file does not carry stay as they
// are; an existing device's mode, profile, gateway and pair are only set by an import when they
// were empty. To a device that did not come from an import, addresses are added and none taken
// away.
//
// Conflicts: keys that lead to different devices; a MAC or asset tag whose serial number changed;
// rows about the same device that disagree (all of them are left out); an IP that another device of
// the same pair has. Linear in the number of devices and rows.
MergeResult MergeDevices(const std::vector<Device>& existing,
                         const std::vector<ImportedDevice>& imported, std::string_view file);

}  // namespace cordon::cp
