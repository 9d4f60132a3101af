// SPDX-License-Identifier: Apache-2.0
// What every command works with: the global options, the console, and calls that report their own
// failures.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "controlplane/cli/console.h"
#include "controlplane/cli/exit_code.h"
#include "controlplane/cli/interrupt.h"

namespace cordon::cp::cli {

enum class OutputFormat { kTable, kJson, kYaml };

struct Options {
  std::string controller = "unix:/run/cordon/controller.sock";
  std::string ca;
  std::string certificate;
  std::string key;
  std::string gateway_socket;  // empty: talk to the controller
  OutputFormat output = OutputFormat::kTable;
  std::chrono::milliseconds timeout{30'000};
};

// A call under way: has a deadline if it should, and ends when the administrator presses Ctrl-C.
class CallScope {
 public:
  enum class Limit { kTimeout, kNone };
  CallScope(Interrupt& interrupt, const Options& options, Limit limit = Limit::kTimeout);
  ~CallScope() { interrupt_.Remove(call_); }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  grpc::ClientContext* get() { return &call_; }

 private:
  Interrupt& interrupt_;
  grpc::ClientContext call_;
};

class Context {
 public:
  Context(Console& console, Options options, Interrupt& interrupt);

  const Options& options() const { return options_; }
  Interrupt& interrupt() { return interrupt_; }
  std::ostream& out() { return console_.out; }
  std::ostream& err() { return console_.err; }
  std::istream& in() { return console_.in; }
  const Style& style() const { return console_.out_style; }
  Clock::time_point now() const { return console_.now(); }
  bool structured() const { return options_.output != OutputFormat::kTable; }
  // Where progress goes: with tables it is part of the answer, with JSON and YAML it is not.
  std::ostream& progress() { return structured() ? console_.err : console_.out; }
  const Style& progress_style() const {
    return structured() ? console_.err_style : console_.out_style;
  }

  // Dials what the options name: the gateway's socket if there is one, else the controller. On a
  // command line that cannot work (no certificate for TCP, an unreadable file) says so and gives
  // kUsage. Dialling itself happens at the first call.
  ExitCode Dial();
  // After Dial() gave kDone.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // One call. On failure says what happened and what to do next; `hint` is added where the
  // controller refused ("See: cordonctl get devices").
  template <typename Stub, typename Request, typename Response>
  ExitCode Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                Stub& stub, const Request& request, Response* response,
                std::string_view hint = {}) {
    CallScope scope(interrupt_, options_);
    return Report((stub.*method)(scope.get(), request, response), hint);
  }

  // How a call ended, told on stderr unless it is OK.
  ExitCode Report(const grpc::Status& status, std::string_view hint = {});

  // "error: ..." on stderr, each further line as a hint of its own.
  ExitCode Fail(ExitCode code, std::string_view message, std::string_view hint = {});
  void Warn(std::string_view message);

  // The message in the format that was asked for; only if structured().
  void Write(const boost::json::value& tree);
  void Write(const google::protobuf::Message& message);

 private:
  std::string Address() const;
  std::string Target() const;
  ExitCode ReportUnreachable(const grpc::Status& status);

  Console& console_;
  Options options_;
  Interrupt& interrupt_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace cordon::cp::cli
