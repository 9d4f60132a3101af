// SPDX-License-Identifier: Apache-2.0
// Streams and those who wake them, without a network.
#include "controlplane/rpc/stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace cordon::cp {
namespace {

struct Letter {
  void Clear() { text.clear(); }
  std::string text;
};

// What PullStream needs of gRPC's reactor; a write is over when the test says so.
class Desk {
 public:
  virtual ~Desk() = default;
  virtual void OnWriteDone(bool ok) = 0;
  virtual void OnCancel() = 0;
  virtual void OnDone() = 0;
  void StartWrite(const Letter* letter) { written = letter->text; }
  void Finish(const grpc::Status& status) { finished = status.error_code(); }

  std::string written;
  grpc::StatusCode finished = grpc::StatusCode::DO_NOT_USE;
};

// Somebody else wakes it while it is being made, as a fleet does that is told of a new listener.
class Stream final : public PullStream<Desk, Letter> {
 public:
  explicit Stream(std::atomic<int>& fills) : fills_(fills), woken_(WakeFromElsewhere()) {}

 private:
  bool WakeFromElsewhere() {
    std::thread other([this] { waker()->Wake(); });
    other.join();
    return true;
  }
  Next Fill(Letter& letter, std::optional<grpc::Status>& end) override {
    ++fills_;
    letter.text = text_;
    if (!woken_) end = grpc::Status(grpc::StatusCode::INTERNAL, "filled before it was whole");
    return Next::kMessage;
  }

  std::atomic<int>& fills_;
  const bool woken_;
  const std::string text_ = "whole";
};

TEST(PullStream, LetsNobodyFillItWhileItIsBeingMade) {
  std::atomic<int> fills{0};
  auto* const stream = new Stream(fills);  // owns itself, as streams do
  EXPECT_EQ(fills, 0);
  stream->Pump();
  EXPECT_EQ(fills, 1);
  EXPECT_EQ(stream->written, "whole");
  static_cast<Desk*>(stream)->OnDone();
}

TEST(PullStream, StaysQuietForAWakerAfterItsEnd) {
  std::atomic<int> fills{0};
  auto* const stream = new Stream(fills);
  const auto waker = stream->waker();
  stream->Pump();
  static_cast<Desk*>(stream)->OnDone();
  waker->Wake();
  EXPECT_EQ(fills, 1);
}

TEST(PullStream, TakesWakersFromManyThreads) {
  std::atomic<int> fills{0};
  auto* const stream = new Stream(fills);
  stream->Pump();
  std::thread one([&] {
    for (int i = 0; i < 1000; ++i) stream->waker()->Wake();
  });
  std::thread two([&] {
    for (int i = 0; i < 1000; ++i) stream->waker()->Wake();
  });
  for (int i = 0; i < 1000; ++i) static_cast<Desk*>(stream)->OnWriteDone(true);
  one.join();
  two.join();
  EXPECT_EQ(fills, 1001);
  static_cast<Desk*>(stream)->OnDone();
}

}  // namespace
}  // namespace cordon::cp
