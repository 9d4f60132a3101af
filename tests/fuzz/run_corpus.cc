// SPDX-License-Identifier: Apache-2.0
// Runs every file of a folder through a fuzz target once, without libFuzzer: the corpus as a test.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  std::error_code error;
  size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(argv[1], error)) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::vector<char> read((std::istreambuf_iterator<char>(in)), {});
    const std::vector<uint8_t> bytes(read.begin(), read.end());
    std::printf("%s: %zu bytes\n", file.path().filename().c_str(), bytes.size());
    std::fflush(stdout);  // so that the last line names the file that crashed
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++count;
  }
  if (count == 0) {
    std::fprintf(stderr, "%s: no corpus file there\n", argv[1]);
    return 1;
  }
  return 0;
}
