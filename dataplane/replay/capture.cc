// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replay/capture.h"

#include <pcap/pcap.h>

#include <string_view>
#include <utility>

namespace cordon::dp {

struct CaptureReader::Handle {
  pcap_t* pcap;
  explicit Handle(pcap_t* opened) : pcap(opened) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { pcap_close(pcap); }
};

CaptureReader::CaptureReader(std::string path, Side side, std::unique_ptr<Handle> handle)
    : path_(std::move(path)), side_(side), handle_(std::move(handle)) {}
CaptureReader::~CaptureReader() = default;

std::unique_ptr<CaptureReader> CaptureReader::Open(const std::string& path, Side side,
                                                   std::string& error) {
  char text[PCAP_ERRBUF_SIZE] = "";
  // "-" would be standard input to libpcap.
  const std::string file = path == "-" ? "./-" : path;
  pcap_t* pcap =
      pcap_open_offline_with_tstamp_precision(file.c_str(), PCAP_TSTAMP_PRECISION_NANO, text);
  if (pcap == nullptr) {
    const bool named = std::string_view(text).starts_with(file + ":");
    error = named ? text : path + ": " + text;
    return nullptr;
  }
  auto handle = std::make_unique<Handle>(pcap);
  if (const int type = pcap_datalink(pcap); type != DLT_EN10MB) {
    const char* name = pcap_datalink_val_to_name(type);
    error = path + ": holds " + (name == nullptr ? "unknown link type" : name) +
            " frames; capture on an Ethernet interface (link type EN10MB), not on 'any'";
    return nullptr;
  }
  return std::unique_ptr<CaptureReader>(new CaptureReader(path, side, std::move(handle)));
}

ReadResult CaptureReader::Fail(const std::string& why) {
  error_ = path_ + ": frame " + std::to_string(read_) + ": " + why;
  return ReadResult::kError;
}

ReadResult CaptureReader::Next(CapturedFrame& frame) {
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  const int result = pcap_next_ex(handle_->pcap, &header, &bytes);
  if (result == PCAP_ERROR_BREAK) return ReadResult::kEnd;
  ++read_;
  if (result != 1) return Fail(pcap_geterr(handle_->pcap));
  if (header->caplen > header->len) {
    return Fail("says it is shorter than what was captured of it");
  }
  frame.side = side_;
  // Asked for nanoseconds, libpcap puts them where microseconds would be.
  frame.time_ns = static_cast<uint64_t>(header->ts.tv_sec) * 1'000'000'000 +
                  static_cast<uint64_t>(header->ts.tv_usec);
  frame.length = header->len;
  frame.bytes.assign(bytes, bytes + header->caplen);
  return ReadResult::kFrame;
}

void MergedCapture::Add(Side side, std::unique_ptr<CaptureReader> reader) {
  sources_[static_cast<size_t>(side)].reader = std::move(reader);
}

bool MergedCapture::Fill(Source& source) {
  if (source.head || source.reader == nullptr) return true;
  CapturedFrame frame;
  switch (source.reader->Next(frame)) {
    case ReadResult::kFrame:
      source.head = std::move(frame);
      return true;
    case ReadResult::kEnd:
      source.reader.reset();
      return true;
    case ReadResult::kError:
      break;
  }
  error_ = source.reader->error();
  return false;
}

ReadResult MergedCapture::Next(CapturedFrame& frame) {
  Source* first = nullptr;
  for (Source& source : sources_) {  // the device side is 0
    if (!Fill(source)) return ReadResult::kError;
    if (!source.head) continue;
    if (first == nullptr || source.head->time_ns < first->head->time_ns) first = &source;
  }
  if (first == nullptr) return ReadResult::kEnd;
  frame = std::move(*first->head);
  first->head.reset();
  return ReadResult::kFrame;
}

}  // namespace cordon::dp
