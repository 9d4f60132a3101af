// SPDX-License-Identifier: Apache-2.0
// Tells a stream that there may be news for it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace cordon::cp {

// A function that others call from any thread and that its owner can take back. It may take locks
// of its owner: whoever calls Wake holds none that the owner could want.
class Waker {
 public:
  explicit Waker(std::function<void()> function) : function_(std::move(function)) {}

  void Wake() {
    std::lock_guard lock(mutex_);
    if (function_) function_();
  }
  // When this returns the function is not running and never will again. Not from inside Wake.
  void Cancel() {
    std::lock_guard lock(mutex_);
    function_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::function<void()> function_;  // guarded by mutex_
};

}  // namespace cordon::cp
