// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replay/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dataplane/replay/capture_file.h"

namespace cordon::dp {
namespace {

using testing::CaptureFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::unique_ptr<CaptureReader> Open(const std::string& path, Side side = Side::kDevice) {
  std::string error;
  auto reader = CaptureReader::Open(path, side, error);
  EXPECT_THAT(error, IsEmpty());
  return reader;
}

std::string OpenError(const std::string& path) {
  std::string error;
  EXPECT_EQ(CaptureReader::Open(path, Side::kDevice, error), nullptr);
  return error;
}

// First byte of each frame in the order of the merge.
std::vector<int> MergedBytes(const CaptureFile& device, const CaptureFile& network) {
  MergedCapture merged;
  merged.Add(Side::kDevice, Open(device.Write("device.pcap")));
  merged.Add(Side::kNetwork, Open(network.Write("network.pcap"), Side::kNetwork));
  std::vector<int> bytes;
  CapturedFrame frame;
  while (merged.Next(frame) == ReadResult::kFrame) bytes.push_back(frame.bytes.at(0));
  EXPECT_THAT(merged.error(), IsEmpty());
  return bytes;
}

TEST(CaptureReader, ReadsMicrosecondsAndNanoseconds) {
  CapturedFrame frame;
  Open(CaptureFile().Frame(2, 5, {1}).Write("micro.pcap"))->Next(frame);
  EXPECT_EQ(frame.time_ns, 2'000'005'000u);
  Open(CaptureFile(CaptureFile::kNano).Frame(2, 5, {1}).Write("nano.pcap"))->Next(frame);
  EXPECT_EQ(frame.time_ns, 2'000'000'005u);
}

TEST(CaptureReader, ReadsPcapng) {
  CaptureFile file;
  file.Clear();
  file.Word(0x0a0d0d0a).Word(28).Word(0x1a2b3c4d).Word(1).Word(~0u).Word(~0u).Word(28);  // section
  file.Word(1).Word(20).Word(1).Word(65535).Word(20);                                    // Ethernet
  file.Word(6).Word(36).Word(0).Word(0).Word(7).Word(4).Word(4).Word(0xdeadbeef).Word(36);
  CapturedFrame frame;
  ASSERT_EQ(Open(file.Write("a.pcapng"))->Next(frame), ReadResult::kFrame);
  EXPECT_EQ(frame.time_ns, 7000u);
  EXPECT_THAT(frame.bytes, ElementsAre(0xef, 0xbe, 0xad, 0xde));
}

TEST(CaptureReader, FrameCutBySnapLengthKeepsItsLength) {
  CapturedFrame frame;
  Open(CaptureFile().Frame(0, 0, {1, 2, 3}, 1500).Write("cut.pcap"))->Next(frame);
  EXPECT_EQ(frame.bytes.size(), 3u);
  EXPECT_EQ(frame.length, 1500u);
}

TEST(CaptureReader, FileThatEndsWithinAFrameNamesTheFrame) {
  CaptureFile file;
  file.Frame(0, 0, {1, 2, 3}).Frame(1, 0, {4, 5, 6});
  const auto reader = Open(file.CutTo(file.size() - 1).Write("broken.pcap"));
  CapturedFrame frame;
  EXPECT_EQ(reader->Next(frame), ReadResult::kFrame);
  EXPECT_EQ(reader->Next(frame), ReadResult::kError);
  EXPECT_THAT(reader->error(), HasSubstr("broken.pcap: frame 2: truncated"));
}

TEST(CaptureReader, FrameShorterThanItsCapturedBytesIsAnError) {
  const auto reader = Open(CaptureFile().Frame(0, 0, {1, 2, 3}, 2).Write("odd.pcap"));
  CapturedFrame frame;
  EXPECT_EQ(reader->Next(frame), ReadResult::kError);
}

TEST(CaptureReader, RefusesWhatIsNoCaptureOfEthernet) {
  EXPECT_THAT(OpenError(CaptureFile(CaptureFile::kMicro, 101).Write("raw.pcap")),
              AllOf(HasSubstr("raw.pcap"), HasSubstr("RAW"), HasSubstr("EN10MB")));
  EXPECT_THAT(OpenError(CaptureFile(1234).Write("text.txt")), HasSubstr("text.txt"));
  EXPECT_THAT(OpenError("/nowhere/a.pcap"), HasSubstr("/nowhere/a.pcap"));
  EXPECT_THAT(OpenError(CaptureFile().Clear().Write("empty.pcap")), HasSubstr("empty.pcap"));
}

TEST(MergedCapture, OrdersBothSidesByTime) {
  EXPECT_THAT(MergedBytes(CaptureFile().Frame(1, 0, {1}).Frame(3, 0, {3}),
                          CaptureFile().Frame(0, 9, {0}).Frame(2, 0, {2}).Frame(4, 0, {4})),
              ElementsAre(0, 1, 2, 3, 4));
}

TEST(MergedCapture, DeviceSideIsFirstAtTheSameTime) {
  EXPECT_THAT(
      MergedBytes(CaptureFile().Frame(1, 0, {1}).Frame(1, 0, {2}), CaptureFile().Frame(1, 0, {3})),
      ElementsAre(1, 2, 3));
}

TEST(MergedCapture, KeepsTheOrderOfAFileWhoseClockWentBack) {
  EXPECT_THAT(MergedBytes(CaptureFile().Frame(5, 0, {1}).Frame(2, 0, {2}),
                          CaptureFile().Frame(3, 0, {3}).Frame(6, 0, {4})),
              ElementsAre(3, 1, 2, 4));
}

TEST(MergedCapture, ErrorOfOneFileEndsTheMerge) {
  CaptureFile file;
  file.Frame(0, 0, {1}).Word(7);
  MergedCapture merged;
  merged.Add(Side::kNetwork, Open(file.Write("n.pcap"), Side::kNetwork));
  CapturedFrame frame;
  EXPECT_EQ(merged.Next(frame), ReadResult::kFrame);
  EXPECT_EQ(merged.Next(frame), ReadResult::kError);
  EXPECT_THAT(merged.error(), HasSubstr("n.pcap: frame 2"));
}

}  // namespace
}  // namespace cordon::dp
