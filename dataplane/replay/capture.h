// SPDX-License-Identifier: Apache-2.0
// Frames from captures, in the order of time. The only file that knows libpcap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/packet/packet.h"

namespace cordon::dp {

struct CapturedFrame {
  Side side = Side::kDevice;
  uint64_t time_ns = 0;  // since 1970
  uint32_t length = 0;   // as it was on the wire; bytes may be fewer (cut by the snap length)
  std::vector<uint8_t> bytes;
};

enum class ReadResult { kFrame, kEnd, kError };

// One capture file, pcap or pcapng, in micro- or nanoseconds, of Ethernet frames.
class CaptureReader {
 public:
  // Null if it cannot be read; `error` says why, with the file's name.
  static std::unique_ptr<CaptureReader> Open(const std::string& path, Side side,
                                             std::string& error);
  ~CaptureReader();

  ReadResult Next(CapturedFrame& frame);
  // After kError: "device.pcap: frame 17: ...".
  const std::string& error() const { return error_; }

 private:
  struct Handle;
  CaptureReader(std::string path, Side side, std::unique_ptr<Handle> handle);
  ReadResult Fail(const std::string& why);

  const std::string path_;
  const Side side_;
  std::unique_ptr<Handle> handle_;
  uint64_t read_ = 0;
  std::string error_;
};

// At most one capture a side, merged by time. Frames of the same time: the device side first;
// within one capture the order of the file stays, even where its clock went back.
class MergedCapture {
 public:
  void Add(Side side, std::unique_ptr<CaptureReader> reader);
  // The next frame replaces `frame`.
  ReadResult Next(CapturedFrame& frame);
  const std::string& error() const { return error_; }

 private:
  struct Source {
    std::unique_ptr<CaptureReader> reader;  // null: ended, or none given
    std::optional<CapturedFrame> head;
  };
  bool Fill(Source& source);

  std::array<Source, kSideCount> sources_;
  std::string error_;
};

}  // namespace cordon::dp
