// SPDX-License-Identifier: Apache-2.0
#include "controlplane/store/json_object.h"

namespace cordon::cp {

std::optional<json::value> ParseJson(std::string_view text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  boost::system::error_code error;
  json::value value = json::parse(text, error, {}, options);
  if (error) return std::nullopt;
  return value;
}

}  // namespace cordon::cp
