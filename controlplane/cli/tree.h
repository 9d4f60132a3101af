// SPDX-License-Identifier: Apache-2.0
// Messages as data for programs: one tree, written as JSON or as YAML.
#pragma once

#include <google/protobuf/message.h>

#include <boost/json.hpp>
#include <ostream>
#include <string>

namespace cordon::cp::cli {

// The message as a tree that scripts can rely on: keys are the field names of the proto; every
// field is there, also zero and empty ones (null for an absent message; members of a oneof only if
// set); numbers are numbers; enum values are their words ("enforce", "never_seen"); times are RFC
// 3339, durations seconds with the suffix "s".
boost::json::object ToTree(const google::protobuf::Message& message);

// Indented by two, keys in the order of the proto, a newline at the end.
void WriteJson(const boost::json::value& tree, std::ostream& out);
// One line.
void WriteJsonLine(const boost::json::value& tree, std::ostream& out);
// One document without "---". All strings are quoted, so that "10", "no" and "null" stay strings.
void WriteYaml(const boost::json::value& tree, std::ostream& out);

// "enforce" for MODE_ENFORCE: the value without the name of its type, in lower case.
std::string EnumWord(const google::protobuf::EnumDescriptor& type, int number);

// The same for people: "never seen". V is a generated enum type.
std::string Words(std::string enum_word);
template <typename V>
std::string Word(V value) {
  return Words(EnumWord(*google::protobuf::GetEnumDescriptor<V>(), value));
}

}  // namespace cordon::cp::cli
