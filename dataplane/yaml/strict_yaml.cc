// SPDX-License-Identifier: Apache-2.0
#include "dataplane/yaml/strict_yaml.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "dataplane/yaml/tree.h"

namespace cordon::dp {
namespace {

std::string Join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : ", ") + word;
  return joined;
}

std::string Suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const auto nearest = NearestWord(word, candidates);
  return nearest ? "; did you mean '" + std::string(*nearest) + "'?" : "";
}

// What a fault shows of a value: short, and without anything that could disturb a terminal.
std::string Quote(std::string_view text) {
  constexpr size_t kLongest = 60;
  std::string quoted = "'";
  for (const char c : text.substr(0, kLongest)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    quoted += control ? '?' : c;
  }
  return quoted + (text.size() > kLongest ? "...'" : "'");
}

}  // namespace

YamlNode::YamlNode(std::shared_ptr<File> file, const YamlTree* tree, std::string path)
    : file_(std::move(file)), tree_(tree), path_(std::move(path)) {}

bool YamlNode::IsNull() const { return tree_->kind == YamlTree::Kind::kNull; }
bool YamlNode::IsScalar() const { return tree_->kind == YamlTree::Kind::kScalar; }
bool YamlNode::IsList() const { return tree_->kind == YamlTree::Kind::kList; }
bool YamlNode::IsMap() const { return tree_->kind == YamlTree::Kind::kMap; }
int YamlNode::line() const { return tree_->line; }

std::string YamlNode::place() const { return file_->Place(tree_->line, path_); }

void YamlNode::Fail(std::string message) const {
  file_->Fail(tree_->line, path_, std::move(message));
}

bool YamlNode::CheckScalar(std::string_view wanted) const {
  if (IsScalar()) return true;
  const char* found = IsList() ? "a list" : IsMap() ? "a map" : "nothing";
  Fail("must be " + std::string(wanted) + ", not " + found);
  return false;
}

std::optional<std::string> YamlNode::AsString() const {
  if (!CheckScalar("a text")) return std::nullopt;
  return tree_->scalar;
}

std::optional<bool> YamlNode::AsBool() const {
  if (!CheckScalar("true or false")) return std::nullopt;
  if (tree_->scalar == "true") return true;
  if (tree_->scalar == "false") return false;
  Fail("must be true or false, not " + Quote(tree_->scalar));
  return std::nullopt;
}

std::optional<int64_t> YamlNode::AsInteger(IntegerRange range) const {
  const std::string wanted =
      "a whole number from " + std::to_string(range.min) + " to " + std::to_string(range.max);
  if (!CheckScalar(wanted)) return std::nullopt;
  int64_t value = 0;
  const char* begin = tree_->scalar.data();
  const char* end = begin + tree_->scalar.size();
  const auto [parsed, error] = std::from_chars(begin, end, value);
  if (error == std::errc() && parsed == end && value >= range.min && value <= range.max) {
    return value;
  }
  Fail("must be " + wanted + ", not " + Quote(tree_->scalar));
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> YamlNode::AsDuration(DurationRange range) const {
  const std::string wanted = "a duration from " + FormatDuration(range.min) + " to " +
                             FormatDuration(range.max) + " such as 100us, 5ms, 30s, 5m or 24h";
  if (!CheckScalar(wanted)) return std::nullopt;
  const auto value = ParseDuration(tree_->scalar);
  if (value && *value >= range.min && *value <= range.max) return value;
  Fail("must be " + wanted + ", not " + Quote(tree_->scalar));
  return std::nullopt;
}

std::optional<size_t> YamlNode::AsOneOf(std::initializer_list<std::string_view> names) const {
  const std::vector<std::string> words(names.begin(), names.end());
  const std::string wanted = "one of " + Join(words);
  if (!CheckScalar(wanted)) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), tree_->scalar);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  Fail("must be " + wanted + ", not " + Quote(tree_->scalar) + Suggestion(tree_->scalar, words));
  return std::nullopt;
}

std::vector<YamlNode> YamlNode::AsList() const {
  std::vector<YamlNode> items;
  if (!IsList()) {
    Fail(std::string("must be a list, not ") + (IsMap()    ? "a map"
                                                : IsNull() ? "nothing"
                                                           : "one value"));
    return items;
  }
  items.reserve(tree_->children.size());
  for (size_t i = 0; i < tree_->children.size(); ++i) {
    items.push_back(YamlNode(file_, &tree_->children[i], path_ + "[" + std::to_string(i) + "]"));
  }
  return items;
}

std::vector<YamlNode> YamlNode::AsListOrOne() const {
  if (IsScalar()) return {*this};
  return AsList();
}

YamlMap YamlNode::AsMap() const {
  YamlMap map(*this);
  if (!IsMap()) {
    Fail(std::string("must be a map of keys and values, not ") + (IsList()   ? "a list"
                                                                  : IsNull() ? "nothing"
                                                                             : "one value"));
    map.node_.tree_ = &YamlTree::Empty();
  }
  return map;
}

YamlMap::YamlMap(YamlNode node) : node_(std::move(node)), used_(node_.tree_->keys.size(), false) {}

YamlMap::YamlMap(YamlMap&& other) noexcept
    : node_(std::move(other.node_)),
      asked_(std::move(other.asked_)),
      used_(std::move(other.used_)),
      finished_(std::exchange(other.finished_, true)) {}

YamlMap::~YamlMap() { Finish(); }

std::optional<YamlNode> YamlMap::Find(std::string_view key) {
  asked_.emplace_back(key);
  const auto& keys = node_.tree_->keys;
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const auto& candidate) { return candidate.text == key; });
  if (found == keys.end()) return std::nullopt;
  const size_t position = static_cast<size_t>(found - keys.begin());
  used_[position] = true;
  const YamlTree& value = node_.tree_->children[position];
  if (value.kind == YamlTree::Kind::kNull) return std::nullopt;
  const std::string& path = node_.path_;
  return YamlNode(node_.file_, &value, (path.empty() ? "" : path + ".") + std::string(key));
}

std::optional<YamlNode> YamlMap::Require(std::string_view key) {
  auto value = Find(key);
  // A map that was refused as a whole has said so already.
  if (!value && node_.tree_ != &YamlTree::Empty()) {
    node_.Fail("key '" + std::string(key) + "' is missing");
  }
  return value;
}

std::string YamlMap::String(std::string_view key, std::string fallback) {
  const auto value = Find(key);
  return value ? value->AsString().value_or(std::move(fallback)) : fallback;
}

std::string YamlMap::RequiredString(std::string_view key) {
  const auto value = Require(key);
  if (!value) return "";
  const auto text = value->AsString();
  if (text && text->empty()) value->Fail("must not be empty");
  return text.value_or("");
}

bool YamlMap::Bool(std::string_view key, bool fallback) {
  const auto value = Find(key);
  return value ? value->AsBool().value_or(fallback) : fallback;
}

int64_t YamlMap::Integer(std::string_view key, int64_t fallback, IntegerRange range) {
  const auto value = Find(key);
  return value ? value->AsInteger(range).value_or(fallback) : fallback;
}

std::chrono::nanoseconds YamlMap::Duration(std::string_view key, std::chrono::nanoseconds fallback,
                                           DurationRange range) {
  const auto value = Find(key);
  return value ? value->AsDuration(range).value_or(fallback) : fallback;
}

size_t YamlMap::OneOf(std::string_view key, std::initializer_list<std::string_view> names,
                      size_t fallback) {
  const auto value = Find(key);
  return value ? value->AsOneOf(names).value_or(fallback) : fallback;
}

std::vector<YamlNode> YamlMap::List(std::string_view key) {
  const auto value = Find(key);
  return value ? value->AsList() : std::vector<YamlNode>();
}

std::vector<std::string> YamlMap::Strings(std::string_view key) {
  std::vector<std::string> texts;
  const auto value = Find(key);
  if (!value) return texts;
  for (const YamlNode& item : value->AsListOrOne()) {
    if (auto text = item.AsString()) texts.push_back(std::move(*text));
  }
  return texts;
}

YamlMap YamlMap::Map(std::string_view key) {
  const auto value = Find(key);
  if (value) return value->AsMap();
  return YamlMap(YamlNode(node_.file_, &YamlTree::Empty(), std::string(key)));
}

void YamlMap::Allow(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) Find(key);
}

void YamlMap::Finish() {
  if (std::exchange(finished_, true)) return;
  std::vector<std::string> known = asked_;
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  const auto& keys = node_.tree_->keys;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (used_[i]) continue;
    node_.file_->Fail(keys[i].line, node_.path_,
                      "unknown key " + Quote(keys[i].text) + " (known: " + Join(known) + ")" +
                          Suggestion(keys[i].text, known));
  }
}

}  // namespace cordon::dp
