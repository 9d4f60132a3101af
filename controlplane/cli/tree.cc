// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/tree.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cctype>

namespace cordon::cp::cli {
namespace {

namespace json = boost::json;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::TimeUtil;

json::value MessageTree(const Message& message) {
  if (const auto* time = dynamic_cast<const google::protobuf::Timestamp*>(&message)) {
    return json::string(TimeUtil::ToString(*time));
  }
  if (const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&message)) {
    return json::string(TimeUtil::ToString(*duration));
  }
  return ToTree(message);
}

// The value at `index` of a repeated field, or the value of a singular one (index -1).
json::value FieldTree(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& r = *message.GetReflection();
  const auto pick = [&](auto singular, auto repeated) {
    return index < 0 ? (r.*singular)(message, &field) : (r.*repeated)(message, &field, index);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return pick(&Reflection::GetInt32, &Reflection::GetRepeatedInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return pick(&Reflection::GetInt64, &Reflection::GetRepeatedInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return pick(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return pick(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return pick(&Reflection::GetDouble, &Reflection::GetRepeatedDouble);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return pick(&Reflection::GetFloat, &Reflection::GetRepeatedFloat);
    case FieldDescriptor::CPPTYPE_BOOL:
      return pick(&Reflection::GetBool, &Reflection::GetRepeatedBool);
    case FieldDescriptor::CPPTYPE_ENUM:
      return json::string(EnumWord(
          *field.enum_type(), pick(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue)));
    case FieldDescriptor::CPPTYPE_STRING:
      return json::string(pick(&Reflection::GetString, &Reflection::GetRepeatedString));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageTree(index < 0 ? r.GetMessage(message, &field)
                                   : r.GetRepeatedMessage(message, &field, index));
  }
  return nullptr;
}

// Maps have text as keys and values; in order of key.
json::value MapTree(const Message& message, const FieldDescriptor& field) {
  const FieldDescriptor& key = *field.message_type()->map_key();
  const FieldDescriptor& value = *field.message_type()->map_value();
  std::map<std::string, std::string> sorted;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    sorted[entry.GetReflection()->GetString(entry, &key)] =
        entry.GetReflection()->GetString(entry, &value);
  }
  json::object object;
  for (const auto& [name, text] : sorted) object[name] = text;
  return object;
}

json::value WholeField(const Message& message, const FieldDescriptor& field) {
  const Reflection& r = *message.GetReflection();
  if (field.is_map()) return MapTree(message, field);
  if (field.is_repeated()) {
    json::array elements;
    for (int i = 0; i < r.FieldSize(message, &field); ++i) {
      elements.push_back(FieldTree(message, field, i));
    }
    return elements;
  }
  if (field.has_presence() && !r.HasField(message, &field)) return nullptr;
  return FieldTree(message, field, -1);
}

std::string Scalar(const json::value& tree) {
  // Boost writes a double with an exponent (2.5E-1), which YAML 1.1 takes for a string.
  if (!tree.is_double()) return json::serialize(tree);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", tree.get_double());
  return text.data();
}

void WriteIndentedJson(const json::value& tree, size_t indent, std::ostream& out) {
  const std::string margin(indent + 2, ' ');
  const char* separator = "\n";
  if (const json::object* object = tree.if_object(); object && !object->empty()) {
    out << '{';
    for (const auto& [key, value] : *object) {
      out << separator << margin << json::serialize(json::string(key)) << ": ";
      WriteIndentedJson(value, indent + 2, out);
      separator = ",\n";
    }
    out << '\n' << std::string(indent, ' ') << '}';
  } else if (const json::array* array = tree.if_array(); array && !array->empty()) {
    out << '[';
    for (const json::value& value : *array) {
      out << separator << margin;
      WriteIndentedJson(value, indent + 2, out);
      separator = ",\n";
    }
    out << '\n' << std::string(indent, ' ') << ']';
  } else {
    out << Scalar(tree);
  }
}

bool IsBlock(const json::value& tree) {
  return (tree.is_object() && !tree.get_object().empty()) ||
         (tree.is_array() && !tree.get_array().empty());
}

// Writes from the current column on; `indent` is that of the lines that follow.
void WriteYamlBlock(const json::value& tree, size_t indent, std::ostream& out) {
  const std::string margin(indent, ' ');
  std::string_view lead;
  if (!IsBlock(tree)) {
    out << Scalar(tree) << '\n';
  } else if (const json::object* object = tree.if_object()) {
    for (const auto& [key, value] : *object) {
      out << lead << std::string_view(key.data(), key.size()) << (IsBlock(value) ? ":\n" : ": ");
      if (IsBlock(value)) out << margin << "  ";
      WriteYamlBlock(value, indent + 2, out);
      lead = margin;
    }
  } else {
    for (const json::value& value : tree.get_array()) {
      out << lead << "- ";
      WriteYamlBlock(value, indent + 2, out);
      lead = margin;
    }
  }
}

}  // namespace

json::object ToTree(const Message& message) {
  json::object tree;
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const bool unset_choice = field.real_containing_oneof() != nullptr &&
                              !message.GetReflection()->HasField(message, &field);
    if (!unset_choice) tree[field.name()] = WholeField(message, field);
  }
  return tree;
}

void WriteJson(const json::value& tree, std::ostream& out) {
  WriteIndentedJson(tree, 0, out);
  out << '\n';
}

void WriteJsonLine(const json::value& tree, std::ostream& out) {
  out << json::serialize(tree) << '\n';
}

void WriteYaml(const json::value& tree, std::ostream& out) { WriteYamlBlock(tree, 0, out); }

std::string EnumWord(const EnumDescriptor& type, int number) {
  const auto* value = type.FindValueByNumber(number);
  if (value == nullptr) return std::to_string(number);
  const auto lower = [](unsigned char c) { return static_cast<char>(std::tolower(c)); };
  std::string prefix;
  for (const char c : type.name()) {
    if (std::isupper(static_cast<unsigned char>(c)) && !prefix.empty()) prefix += '_';
    prefix += lower(static_cast<unsigned char>(c));
  }
  prefix += '_';
  std::string word = value->name();
  std::transform(word.begin(), word.end(), word.begin(), lower);
  return word.starts_with(prefix) ? word.substr(prefix.size()) : word;
}

std::string Words(std::string enum_word) {
  std::replace(enum_word.begin(), enum_word.end(), '_', ' ');
  return enum_word;
}

}  // namespace cordon::cp::cli
