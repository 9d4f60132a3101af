// SPDX-License-Identifier: Apache-2.0
// Writes capture files byte by byte, right ones and broken ones.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace cordon::dp::testing {

class CaptureFile {
 public:
  static constexpr uint32_t kMicro = 0xa1b2c3d4, kNano = 0xa1b23c4d;

  explicit CaptureFile(uint32_t magic = kMicro, uint32_t link_type = 1) {
    Word(magic).Word(4u << 16 | 2).Word(0).Word(0).Word(65535).Word(link_type);
  }
  // `length` 0: all of it was captured.
  CaptureFile& Frame(uint32_t seconds, uint32_t fraction, const std::vector<uint8_t>& bytes,
                     uint32_t length = 0) {
    const auto captured = static_cast<uint32_t>(bytes.size());
    Word(seconds).Word(fraction).Word(captured).Word(length == 0 ? captured : length);
    content_.append(bytes.begin(), bytes.end());
    return *this;
  }
  CaptureFile& CutTo(size_t size) {
    content_.resize(size);
    return *this;
  }
  CaptureFile& Word(uint32_t word) {
    for (int shift = 0; shift < 32; shift += 8) content_ += static_cast<char>(word >> shift);
    return *this;
  }
  CaptureFile& Clear() { return CutTo(0); }
  size_t size() const { return content_.size(); }

  // The path of the written file; gone with the test's directory.
  std::string Write(const std::string& name) const {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    const auto directory = std::filesystem::path(::testing::TempDir()) /
                           ("replay-" + std::to_string(::getpid()) + "-" + test->name());
    std::filesystem::create_directories(directory);
    const auto path = directory / name;
    std::ofstream(path, std::ios::binary) << content_;
    return path.string();
  }

 private:
  std::string content_;
};

}  // namespace cordon::dp::testing
