// SPDX-License-Identifier: Apache-2.0
// A strict reader of YAML for configuration files and policy documents. It forgives nothing that
// could hide a typing mistake: unknown keys, keys given twice, aliases, anchors, tags and nested
// structures where a value belongs are faults. All faults are collected, each with its place, so
// that an administrator mends a file in one go. Nothing here throws.
//
//   YamlFile file = YamlFile::Parse("gateway.yaml", content);
//   for (const YamlNode& document : file.documents()) {
//     YamlMap map = document.AsMap();
//     config.name = map.RequiredString("name");
//     config.poll = map.Duration("poll", 100us, {10us, 1s});
//     for (const YamlNode& pair : map.List("pairs")) ReadPair(pair.AsMap());
//   }  // each YamlMap refuses, when it goes, the keys it was never asked for
//   if (!file.faults().empty()) ...
//
// Not thread-safe: one thread reads one file. Nodes and maps keep their file alive.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cordon::dp {

// One thing that is wrong. place: "FILE:LINE" or "FILE:LINE: FIELD.PATH[2]".
struct YamlFault {
  std::string place;
  std::string message;
  friend bool operator==(const YamlFault&, const YamlFault&) = default;
};

// Bounds for what a file can cost; what exceeds them is a fault.
struct YamlLimits {
  size_t bytes = 64 * 1024 * 1024;
  size_t nodes = 4'000'000;
  size_t depth = 16;
  size_t faults = 1000;  // further ones are counted in a last one
};

// Both ends included.
struct IntegerRange {
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
};
struct DurationRange {
  std::chrono::nanoseconds min{0};
  std::chrono::nanoseconds max = std::chrono::hours(24 * 3650);
};

class YamlMap;
struct YamlTree;

// A value in a file: scalar, list, map or nothing (null). The As functions record a fault and
// return nullopt (or an empty list or map) if the value is not what was asked for.
class YamlNode {
 public:
  bool IsNull() const;
  bool IsScalar() const;
  bool IsList() const;
  bool IsMap() const;
  int line() const;                                  // 1 is the first
  const std::string& path() const { return path_; }  // "rules[0].peer"; empty for a document
  std::string place() const;                         // "policy.yaml:12: rules[0].peer"

  // Records a fault at this value.
  void Fail(std::string message) const;

  std::optional<std::string> AsString() const;  // any scalar, as written
  std::optional<bool> AsBool() const;           // true or false, nothing else
  std::optional<int64_t> AsInteger(IntegerRange range = {}) const;
  // A whole number and a unit: 100us, 5ms, 30s, 5m, 24h, 7d.
  std::optional<std::chrono::nanoseconds> AsDuration(DurationRange range = {}) const;
  // Which of `names` the scalar is.
  std::optional<size_t> AsOneOf(std::initializer_list<std::string_view> names) const;
  std::vector<YamlNode> AsList() const;
  // A list, or one scalar that stands for a list of one.
  std::vector<YamlNode> AsListOrOne() const;
  YamlMap AsMap() const;

 private:
  friend class YamlFile;
  friend class YamlMap;
  struct File;
  YamlNode(std::shared_ptr<File> file, const YamlTree* tree, std::string path);
  bool CheckScalar(std::string_view wanted) const;

  std::shared_ptr<File> file_;
  const YamlTree* tree_;
  std::string path_;
};

// A map whose keys are asked for one by one. What was never asked for is unknown: when the map
// goes out of scope (or at Finish) each such key is a fault that names the known ones.
class YamlMap {
 public:
  YamlMap(YamlMap&& other) noexcept;
  YamlMap& operator=(YamlMap&&) = delete;
  ~YamlMap();

  const YamlNode& node() const { return node_; }

  // The value of a key. Find: nullopt if it is absent or null. Require: absent is a fault.
  std::optional<YamlNode> Find(std::string_view key);
  std::optional<YamlNode> Require(std::string_view key);

  // The same with the type asked for; `fallback` also after a fault.
  std::string String(std::string_view key, std::string fallback = "");
  std::string RequiredString(std::string_view key);  // absent or empty is a fault
  bool Bool(std::string_view key, bool fallback);
  int64_t Integer(std::string_view key, int64_t fallback, IntegerRange range = {});
  std::chrono::nanoseconds Duration(std::string_view key, std::chrono::nanoseconds fallback,
                                    DurationRange range = {});
  size_t OneOf(std::string_view key, std::initializer_list<std::string_view> names,
               size_t fallback);
  std::vector<YamlNode> List(std::string_view key);        // absent: empty
  std::vector<std::string> Strings(std::string_view key);  // a list of scalars, or one scalar
  YamlMap Map(std::string_view key);                       // absent: an empty map

  // Names keys that are allowed although this reader does not look at them.
  void Allow(std::initializer_list<std::string_view> keys);
  // Refuses unknown keys now instead of at the end of scope.
  void Finish();
  // Drops the refusal of unknown keys, for a map that is known to be of the wrong kind.
  void Ignore() { finished_ = true; }

 private:
  friend class YamlNode;
  explicit YamlMap(YamlNode node);

  YamlNode node_;
  std::vector<std::string> asked_;
  std::vector<bool> used_;  // by position in the map
  bool finished_ = false;
};

// A file of zero or more documents.
class YamlFile {
 public:
  // `name` is what faults call the file. A syntax error is a fault; the documents before it stand.
  static YamlFile Parse(std::string name, std::string_view content, const YamlLimits& limits = {});
  // The same from disk; a file that cannot be read is a fault.
  static YamlFile Read(const std::string& path, const YamlLimits& limits = {});

  const std::vector<YamlNode>& documents() const { return documents_; }  // empty ones left out
  // Records a fault of the whole file.
  void Fail(std::string message);
  // All faults so far, in order of line.
  std::vector<YamlFault> faults() const;

 private:
  explicit YamlFile(std::shared_ptr<YamlNode::File> file);
  void ParseInto(std::string_view content);

  std::shared_ptr<YamlNode::File> file_;
  std::vector<YamlNode> documents_;
};

// "did you mean 'x'?" helper: the candidate nearest to `word`, if it is near enough to be a slip.
std::optional<std::string_view> NearestWord(std::string_view word,
                                            const std::vector<std::string>& candidates);

// Reads "30s", "5m", "24h", "100us", "5ms", "7d". Pure; nullopt if it is anything else.
std::optional<std::chrono::nanoseconds> ParseDuration(std::string_view text);
// The shortest such text for a duration, "90s" or "2m".
std::string FormatDuration(std::chrono::nanoseconds duration);

}  // namespace cordon::dp
