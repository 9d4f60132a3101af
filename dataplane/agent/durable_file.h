// SPDX-License-Identifier: Apache-2.0
// Files of the state directory: written aside and synced, read whole, covered by a checksum.
// Private to agent/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace cordon::dp {

void AppendBigEndian(std::string& out, uint64_t value);
uint64_t ReadBigEndian(std::string_view bytes);                         // the first eight
std::string Sha256(std::string_view header, std::string_view payload);  // 32 bytes

// "PATH: cannot WHAT: errno in words".
std::string FileError(const std::string& what, const std::filesystem::path& path);
// nullopt, or what went wrong.
std::optional<std::string> WriteSynced(const std::filesystem::path& path, std::string_view content);
std::optional<std::string> SyncDirectory(const std::filesystem::path& directory);
// Content of a file; nullopt with `missing` if there is none, or with `error`.
std::optional<std::string> ReadWhole(const std::filesystem::path& path, bool& missing,
                                     std::string& error);

}  // namespace cordon::dp
