// SPDX-License-Identifier: Apache-2.0
// Ethertypes as documents name them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cordon::cp {

// "lldp", or "0x88f8" for one without a name.
std::string EthertypeText(uint16_t ethertype);
// The opposite; also decimal numbers. nullopt if it is neither.
std::optional<uint16_t> ParseEthertype(std::string_view text);

}  // namespace cordon::cp
