// SPDX-License-Identifier: Apache-2.0
// JSON objects for the codec: what is empty is not written, what is absent reads as its default.
// Private to store/.
#pragma once

#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/packet/address.h"

namespace cordon::cp {

namespace json = boost::json;

template <typename Enum, size_t kCount>
using EnumNames = std::array<std::pair<Enum, std::string_view>, kCount>;

template <typename Enum, size_t kCount>
std::string_view NameOf(const EnumNames<Enum, kCount>& names, Enum value) {
  for (const auto& [candidate, name] : names) {
    if (candidate == value) return name;
  }
  return {};
}

// Writes one object; what is empty or default leaves no trace.
class Writer {
 public:
  void Text(std::string_view key, std::string_view value) {
    if (!value.empty()) object_.emplace(key, value);
  }
  void Integer(std::string_view key, int64_t value) {
    if (value != 0) object_.emplace(key, value);
  }
  void Vlan(std::string_view key, dp::VlanTags vlan) {
    object_.emplace(key, json::array{vlan.outer, vlan.inner});
  }
  template <typename T, typename Convert>
  void List(std::string_view key, const std::vector<T>& values, Convert convert) {
    if (values.empty()) return;
    json::array array;
    array.reserve(values.size());
    for (const T& value : values) array.emplace_back(convert(value));
    object_.emplace(key, std::move(array));
  }
  void Texts(std::string_view key, const std::vector<std::string>& values) {
    List(key, values, [](const std::string& value) { return json::string(value); });
  }
  json::object Take() { return std::move(object_); }

 private:
  json::object object_;
};

// Reads one object. Absent keys read as defaults; what has the wrong type makes ok() false.
class Reader {
 public:
  explicit Reader(const json::value& value) : object_(value.if_object()), ok_(object_ != nullptr) {}
  bool ok() const { return ok_; }

  std::string Text(std::string_view key) {
    const json::value* value = Find(key);
    if (value == nullptr) return {};
    const json::string* text = value->if_string();
    if (text == nullptr) return Fail<std::string>();
    return {text->data(), text->size()};
  }
  int64_t Integer(std::string_view key) {
    const json::value* value = Find(key);
    if (value == nullptr) return 0;
    return Number(*value, std::numeric_limits<int64_t>::max());
  }
  std::optional<dp::VlanTags> Vlan(std::string_view key) {
    const json::value* value = Find(key);
    if (value == nullptr) return std::nullopt;
    const auto [outer, inner] = TwoNumbers(*value, 0xffff);
    return dp::VlanTags{static_cast<uint16_t>(outer), static_cast<uint16_t>(inner)};
  }
  template <typename Enum, size_t kCount>
  Enum Named(std::string_view key, const EnumNames<Enum, kCount>& names) {
    const std::string text = Text(key);
    for (const auto& [value, name] : names) {
      if (name == text) return value;
    }
    return Fail<Enum>();
  }
  // convert: const json::value& -> std::optional<T>
  template <typename T, typename Convert>
  std::vector<T> List(std::string_view key, Convert convert) {
    const json::value* value = Find(key);
    if (value == nullptr) return {};
    const json::array* array = value->if_array();
    if (array == nullptr) return Fail<std::vector<T>>();
    std::vector<T> result;
    result.reserve(array->size());
    for (const json::value& item : *array) {
      std::optional<T> converted = convert(item);
      if (!converted) return Fail<std::vector<T>>();
      result.push_back(std::move(*converted));
    }
    return result;
  }
  std::vector<std::string> Texts(std::string_view key) {
    return List<std::string>(key, [](const json::value& item) -> std::optional<std::string> {
      if (!item.is_string()) return std::nullopt;
      return std::string(item.get_string().data(), item.get_string().size());
    });
  }
  template <typename T>
  T Fail() {
    ok_ = false;
    return T{};
  }

 private:
  const json::value* Find(std::string_view key) const {
    return object_ == nullptr ? nullptr : object_->if_contains(key);
  }
  int64_t Number(const json::value& value, int64_t maximum) {
    const int64_t* number = value.if_int64();
    if (number == nullptr || *number < 0 || *number > maximum) return Fail<int64_t>();
    return *number;
  }
  std::pair<int64_t, int64_t> TwoNumbers(const json::value& value, int64_t maximum) {
    const json::array* array = value.if_array();
    if (array == nullptr || array->size() != 2) return Fail<std::pair<int64_t, int64_t>>();
    return {Number((*array)[0], maximum), Number((*array)[1], maximum)};
  }

  const json::object* object_;
  bool ok_;
};

// Names come from files and other people's systems and need not be UTF-8; they come back as
// written.
std::optional<json::value> ParseJson(std::string_view text);

}  // namespace cordon::cp
