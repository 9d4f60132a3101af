// SPDX-License-Identifier: Apache-2.0
#include "controlplane/inventory/csv_import.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "controlplane/inventory/cell.h"
#include "controlplane/inventory/csv_reader.h"

namespace cordon::cp {
namespace {

constexpr std::array<std::string_view, 14> kFields = {
    "name",     "mac",    "ip",        "vlan",    "vendor",  "model", "class",
    "location", "serial", "asset_tag", "profile", "gateway", "pair",  "mode"};

constexpr size_t kMaxAddresses = 64;   // of one device
constexpr size_t kMaxTextSize = 200;   // bytes of one cell of text
constexpr size_t kMaxNameSize = 63;    // of a resource name
constexpr size_t kMaxQuotedSize = 40;  // of a wrong value in a message

// Which cell of a record feeds a field, and what its column is called in the file.
struct Column {
  size_t index = 0;
  std::string header;
};
using Columns = std::map<std::string_view, Column>;

std::string Quoted(std::string_view value) {
  std::string text = "'";
  text += value.substr(0, kMaxQuotedSize);
  if (value.size() > kMaxQuotedSize) text += "...";
  return text + "'";
}

std::string Listed(const std::vector<std::string>& texts) {
  constexpr size_t kMaxListed = 40;
  std::string list;
  for (size_t i = 0; i < std::min(texts.size(), kMaxListed); ++i) {
    list += (list.empty() ? "" : ", ") + Quoted(texts[i]);
  }
  return texts.size() > kMaxListed ? list + ", ..." : list;
}

class Importer {
 public:
  Importer(std::string_view file, const ColumnMapping& mapping) : file_(file), mapping_(mapping) {
    for (const auto& [text, device_class] : mapping.class_names) {
      class_names_[FoldedCell(text)] = device_class;
    }
  }

  CsvImport Run(std::string_view content) {
    if (content.starts_with("\xff\xfe") || content.starts_with("\xfe\xff")) {
      return Refused("is UTF-16 text; save it as CSV in UTF-8");
    }
    if (content.find('\0') != std::string_view::npos) {
      return Refused("holds zero bytes, so it is no CSV text");
    }
    const std::string text = DecodeCsvText(content);
    std::string_view body = text;
    char delimiter = mapping_.delimiter;
    const char declared = TakeSeparatorLine(body);
    if (delimiter == 0) delimiter = declared != 0 ? declared : DetectDelimiter(body);
    ReadAll(body, delimiter, declared == 0 ? 0 : 1);
    return std::move(result_);
  }

 private:
  // Spreadsheets put "sep=;" above the header.
  static char TakeSeparatorLine(std::string_view& text) {
    if (!text.starts_with("sep=") || text.size() < 6) return 0;
    const char delimiter = text[4];
    const size_t end = text[5] == '\r' && text.substr(6).starts_with("\n") ? 7 : 6;
    if (text[5] != '\r' && text[5] != '\n') return 0;
    text.remove_prefix(end);
    return delimiter;
  }

  void ReadAll(std::string_view text, char delimiter, int lines_before) {
    CsvReader reader(text, delimiter);
    CsvReader::Record record;
    bool has_header = false;
    while (!has_header && reader.Next(record)) has_header = !record.IsBlank();
    record.line += lines_before;
    if (!has_header) return FileFault(0, "is empty: the first line must name the columns");
    if (!record.fault.empty()) return FileFault(record.line, record.fault);
    if (!ReadHeader(record)) return;
    const size_t width = record.cells.size();
    while (reader.Next(record)) {
      if (record.IsBlank()) continue;
      record.line += lines_before;
      ++result_.rows;
      ReadRow(record, width);
    }
    if (errors_ > kMaxCsvErrors) {
      FileFault(0, "and " + std::to_string(errors_ - kMaxCsvErrors) + " more errors");
    }
  }

  bool ReadHeader(const CsvReader::Record& header) {
    const size_t errors_before = result_.errors.size();
    std::map<std::string, std::vector<size_t>> places;  // folded header -> cells
    for (size_t i = 0; i < header.cells.size(); ++i) {
      places[FoldedHeader(header.cells[i])].push_back(i);
    }
    CheckFieldNames();
    for (const std::string_view field : kFields) FindColumn(field, header, places);
    const bool identifies =
        columns_.contains("mac") || columns_.contains("serial") || columns_.contains("asset_tag");
    if (!identifies && result_.errors.size() == errors_before) {
      FileFault(header.line,
                "has no column for mac, serial or asset_tag, by which a device could be known; its "
                "columns are " +
                    Listed(header.cells) + "; name them in the column mapping");
    }
    return result_.errors.size() == errors_before;
  }

  void CheckFieldNames() {
    const auto check = [&](const std::string& field) {
      if (std::find(kFields.begin(), kFields.end(), field) != kFields.end()) return;
      FileFault(0, "the column mapping names " + Quoted(field) + ", which is no field of a device");
    };
    for (const auto& [field, headers] : mapping_.columns) check(field);
    for (const auto& [field, value] : mapping_.defaults) check(field);
  }

  void FindColumn(std::string_view field, const CsvReader::Record& header,
                  const std::map<std::string, std::vector<size_t>>& places) {
    const auto mapped = mapping_.columns.find(std::string(field));
    if (mapped == mapping_.columns.end()) return;
    for (const std::string& name : mapped->second) {
      const auto found = places.find(FoldedHeader(name));
      if (found == places.end() || found->first.empty()) continue;
      if (found->second.size() > 1) {
        FileFault(header.line, "has " + std::to_string(found->second.size()) + " columns " +
                                   Quoted(name) + "; rename all but the one for " +
                                   std::string(field));
        return;
      }
      const size_t index = found->second[0];
      columns_[field] = {index, OneLine(header.cells[index])};
      return;
    }
    // The usual names may be absent; what somebody wrote for this very file may not.
    static const ColumnMapping usual = DefaultCmmsMapping();
    const auto known = usual.columns.find(std::string(field));
    if (known != usual.columns.end() && known->second == mapped->second) return;
    FileFault(header.line, "has no column " + Listed(mapped->second) +
                               ", which the column mapping names for " + std::string(field) +
                               "; its columns are " + Listed(header.cells));
  }

  void ReadRow(const CsvReader::Record& record, size_t width) {
    line_ = record.line;
    if (!record.fault.empty()) return RowFault("", record.fault);
    size_t cells = record.cells.size();
    while (cells > width && TrimmedCell(record.cells[cells - 1]).empty()) --cells;
    if (cells != width) {
      return RowFault(
          "", "has " + std::to_string(cells) + " cells, the header has " + std::to_string(width));
    }
    record_ = &record;
    const size_t errors_before = errors_;
    ImportedDevice imported{ReadDevice(), record.line};
    if (errors_ != errors_before) return;
    const Device& device = imported.device;
    if (device.macs.empty() && device.asset_tag.empty() &&
        (device.serial.empty() || device.vendor.empty())) {
      return RowFault("",
                      "has neither MAC nor asset tag nor serial number with vendor, so the device "
                      "could not be known again");
    }
    result_.devices.push_back(std::move(imported));
    NameDevice(result_.devices.back().device);
  }

  Device ReadDevice() {
    Device device;
    device.name = Text("name");
    device.macs = Values<dp::MacAddress>("mac", ParseDeviceMac,
                                         "is not a device's MAC address; write it like "
                                         "02:00:00:00:30:21");
    device.ips = Values<dp::IpAddress>("ip", ParseDeviceIp,
                                       "is not a device's IP address; write it like 10.30.0.21");
    device.vlan = Value<dp::VlanTags>("vlan", ParseVlanCell,
                                      "is not a VLAN; write 30, or 100.30 for outer and inner");
    device.vendor = Text("vendor");
    device.model = Text("model");
    device.device_class = ClassOf(Text("class"));
    device.location = Text("location");
    device.serial = Text("serial");
    device.asset_tag = Text("asset_tag");
    device.profile = Text("profile");
    device.gateway = Text("gateway");
    device.pair = Text("pair");
    device.mode = Value<DeviceMode>(
        "mode", [](std::string_view text) { return ParseDeviceMode(FoldedCell(text)); },
        "is not a mode; write observe, audit, enforce or quarantine");
    return device;
  }

  // The cell of a field or its default; empty where neither says anything.
  std::string_view Cell(std::string_view field) const {
    const auto column = columns_.find(field);
    if (column != columns_.end()) {
      const std::string_view cell = TrimmedCell(record_->cells[column->second.index]);
      if (!IsPlaceholder(cell)) return cell;
    }
    const auto value = mapping_.defaults.find(std::string(field));
    return value == mapping_.defaults.end() ? std::string_view() : TrimmedCell(value->second);
  }

  std::string Text(std::string_view field) {
    std::string text = OneLine(Cell(field));
    if (text.size() > kMaxTextSize) {
      RowFault(field, Quoted(text) + " is longer than " + std::to_string(kMaxTextSize) + " bytes");
    }
    return text;
  }

  template <typename T, typename Parse>
  T Value(std::string_view field, Parse parse, std::string_view fault) {
    const std::string_view cell = Cell(field);
    if (cell.empty()) return T{};
    const std::optional<T> value = parse(cell);
    if (!value) RowFault(field, Quoted(cell) + " " + std::string(fault));
    return value.value_or(T{});
  }

  template <typename T, typename Parse>
  std::vector<T> Values(std::string_view field, Parse parse, std::string_view fault) {
    std::vector<T> values;
    std::string_view rest = Cell(field);
    while (!rest.empty()) {
      const size_t end = std::min(rest.find_first_of(mapping_.value_separators), rest.size());
      const std::string_view one = TrimmedCell(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (one.empty() || IsPlaceholder(one)) continue;
      const std::optional<T> value = parse(one);
      if (!value) {
        RowFault(field, Quoted(one) + " " + std::string(fault));
      } else if (std::find(values.begin(), values.end(), *value) == values.end()) {
        values.push_back(*value);
      }
      if (values.size() > kMaxAddresses) {
        RowFault(field, "more than " + std::to_string(kMaxAddresses) + " addresses");
        break;
      }
    }
    std::sort(values.begin(), values.end());
    return values;
  }

  std::string ClassOf(const std::string& text) const {
    const auto known = class_names_.find(FoldedCell(text));
    return known != class_names_.end() ? known->second : NameFrom(text, kMaxNameSize);
  }

  void NameDevice(Device& device) {
    std::string name = NameFrom(device.name, kMaxNameSize);
    if (name.empty()) name = NameFrom(device.asset_tag, kMaxNameSize);
    if (name.empty() && !device.serial.empty()) {
      name = NameFrom(device.vendor + "-" + device.model + "-" + device.serial, kMaxNameSize);
    }
    if (name.empty() && !device.macs.empty()) {
      name = NameFrom(dp::ToString(device.macs[0]), kMaxNameSize);
    }
    if (name.empty()) name = "device";
    device.name = UniqueName(name, names_);
  }

  CsvImport Refused(const std::string& message) {
    FileFault(0, message);
    return std::move(result_);
  }
  // line 0: of the file as a whole
  void FileFault(int line, std::string message) {
    result_.errors.push_back({Place(line), std::move(message)});
  }
  void RowFault(std::string_view field, std::string message) {
    if (++errors_ > kMaxCsvErrors) return;
    std::string place = Place(line_);
    if (!field.empty()) {
      const auto column = columns_.find(field);
      place += column != columns_.end() ? ": column '" + column->second.header + "'"
                                        : ": default of " + std::string(field);
    }
    result_.errors.push_back({std::move(place), std::move(message)});
  }
  std::string Place(int line) const {
    return line == 0 ? std::string(file_) : std::string(file_) + ":" + std::to_string(line);
  }

  const std::string_view file_;
  const ColumnMapping& mapping_;
  std::map<std::string, std::string> class_names_;  // folded text -> class
  Columns columns_;
  NameSet names_;
  CsvImport result_;
  size_t errors_ = 0;  // of rows, told or not
  const CsvReader::Record* record_ = nullptr;
  int line_ = 0;
};

}  // namespace

ColumnMapping DefaultCmmsMapping() {
  ColumnMapping mapping;
  mapping.columns = {
      {"name", {"Hostname", "Host Name", "Device Name", "DNS Name", "Name"}},
      {"mac",
       {"MAC Address", "MAC", "MAC Addresses", "MAC Address(es)", "Hardware Address", "hwaddr",
        "Ethernet Address", "Network MAC", "Physical Address"}},
      {"ip", {"IP Address", "IP", "IP Addresses", "IPv4 Address", "IPv4", "Network Address"}},
      {"vlan", {"VLAN", "VLAN ID", "VLAN Tag"}},
      {"vendor", {"Manufacturer", "Vendor", "Mfr", "Manufacturer Name", "Make"}},
      {"model", {"Model", "Model Number", "Model Name", "Model No", "Device Type"}},
      {"class",
       {"Device Category", "Category", "Device Class", "Class", "Equipment Type", "Type",
        "Modality"}},
      {"location",
       {"Location", "Building/Room", "Room", "Department", "Department/Cost Center", "Building",
        "Site"}},
      {"serial", {"Serial Number", "Serial", "Serial No", "S/N", "SN"}},
      {"asset_tag",
       {"Asset Tag", "Asset Number", "Asset ID", "Control No", "Control Number", "CEID",
        "Equipment ID", "Inventory Number", "Tag Number"}},
      {"profile", {"Cordon Profile"}},
      {"gateway", {"Cordon Gateway"}},
      {"pair", {"Cordon Pair"}},
      {"mode", {"Cordon Mode"}},
  };
  mapping.class_names = {
      {"Pump, Infusion", "infusion-pump"},
      {"Pumps, Infusion", "infusion-pump"},
      {"Syringe Pump", "infusion-pump"},
      {"Monitor, Patient", "patient-monitor"},
      {"Physiologic Monitor", "patient-monitor"},
      {"Vital Signs Monitor", "patient-monitor"},
      {"CT Scanner", "ct"},
      {"Computed Tomography", "ct"},
      {"Scanning System, Computed Tomography", "ct"},
      {"MR Scanner", "mr"},
      {"MRI", "mr"},
      {"Magnetic Resonance Imaging", "mr"},
      {"Scanning System, Magnetic Resonance Imaging", "mr"},
      {"Ultrasound Scanner", "ultrasound"},
      {"Scanning System, Ultrasonic", "ultrasound"},
      {"Laboratory Analyzer", "lab-analyser"},
      {"Lab Analyzer", "lab-analyser"},
      {"Analyzer, Laboratory", "lab-analyser"},
      {"Analyzer", "lab-analyser"},
  };
  return mapping;
}

CsvImport ImportCsv(std::string_view file, std::string_view content, const ColumnMapping& mapping) {
  return Importer(file, mapping).Run(content);
}

}  // namespace cordon::cp
