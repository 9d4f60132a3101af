// SPDX-License-Identifier: Apache-2.0
// The writing half of a server stream: one message at a time, pulled when the client has taken the
// one before. Nothing is ever queued here, so a client that does not read costs one message.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "controlplane/engine/waker.h"
#include "grpcpp/support/server_callback.h"

namespace cordon::cp {

// Reactor is grpc::ServerWriteReactor<Message> or grpc::ServerBidiReactor<..., Message>. The object
// owns itself: gRPC's OnDone deletes it, after which the waker does nothing.
template <typename Reactor, typename Message>
class PullStream : public Reactor {
 public:
  const std::shared_ptr<Waker>& waker() const { return waker_; }

  // There may be something to write. Any thread. The first call, by whoever made the stream, starts
  // it: until then the waker does nothing, because a derived class may still be under construction.
  void Pump() {
    std::lock_guard lock(mutex_);
    started_ = true;
    PumpLocked();
  }
  // Ends the stream, after the message that is being written. Any thread; the first call counts.
  void End(grpc::Status status) {
    std::lock_guard lock(mutex_);
    if (!end_) end_ = std::move(status);
    PumpLocked();
  }

 protected:
  enum class Next { kMessage, kNothing };

  PullStream()
      : waker_(std::make_shared<Waker>([this] {
          std::lock_guard lock(mutex_);
          if (started_) PumpLocked();
        })) {}

  // Fills in the next message, if there is one. Called with the stream's lock held, never while a
  // message is being written. To end the stream set `end`; it ends behind the message.
  virtual Next Fill(Message& message, std::optional<grpc::Status>& end) = 0;
  // The stream is over; the last call.
  virtual void OnOver() {}

  // Runs `function` (StartRead) unless the stream has ended.
  template <typename Function>
  void UnlessEnded(Function function) {
    std::lock_guard lock(mutex_);
    if (!finished_) function();
  }

 private:
  void OnWriteDone(bool ok) final {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok && !end_) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone");
    PumpLocked();
  }
  void OnCancel() final { End({grpc::StatusCode::CANCELLED, "the client is gone"}); }
  void OnDone() final {
    waker_->Cancel();
    OnOver();
    delete this;
  }
  void PumpLocked() {
    if (writing_ || finished_) return;
    if (!end_) {
      message_.Clear();
      if (Fill(message_, end_) == Next::kMessage) {
        writing_ = true;
        this->StartWrite(&message_);
        return;
      }
    }
    if (end_) {
      finished_ = true;
      this->Finish(*end_);
    }
  }

  const std::shared_ptr<Waker> waker_;
  std::mutex mutex_;
  Message message_;                  // guarded by mutex_; gRPC's while writing_
  bool started_ = false;             // guarded by mutex_
  bool writing_ = false;             // guarded by mutex_
  bool finished_ = false;            // guarded by mutex_
  std::optional<grpc::Status> end_;  // guarded by mutex_
};

}  // namespace cordon::cp
