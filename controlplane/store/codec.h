// SPDX-License-Identifier: Apache-2.0
// Domain values <-> the JSON text of the database. Private to store/: the form on disk is nobody
// else's business. Fields that are empty or have their default are left out, so the same value
// always gives the same text and a field that is added later reads as its default.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/policy/configuration.h"

namespace cordon::cp {

// The name of a document is its key in the database, not part of the text.
std::string Encode(const Peer& peer);
std::string Encode(const Profile& profile);
std::string Encode(const GatewayConfig& gateway);
std::string Encode(const Overlay& overlay);
std::string Encode(const Device& device);
std::string Encode(const std::vector<std::string>& texts);
std::string Encode(const std::vector<ResourceChange>& changes);

// False: not what Encode wrote, which means that the database is damaged.
bool Decode(std::string_view text, Peer& peer);
bool Decode(std::string_view text, Profile& profile);
bool Decode(std::string_view text, GatewayConfig& gateway);
bool Decode(std::string_view text, Overlay& overlay);
bool Decode(std::string_view text, Device& device);
bool Decode(std::string_view text, std::vector<std::string>& texts);
bool Decode(std::string_view text, std::vector<ResourceChange>& changes);

// Days since 1970 that can be stored; a damaged range must not fill the memory.
inline constexpr int32_t kMaxDay = 1'000'000;
// Sorted days, 0 to kMaxDay <-> "20100-20112,20115": most conversations are there every day.
std::string EncodeDays(const std::vector<int32_t>& days);
bool DecodeDays(std::string_view text, std::vector<int32_t>& days);

}  // namespace cordon::cp
