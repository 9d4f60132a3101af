// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/context.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "controlplane/cli/files.h"
#include "controlplane/cli/tree.h"

namespace cordon::cp::cli {
namespace {

// An import may be 64 MiB; what comes back is of that order.
constexpr int kMaxReceiveBytes = 256 << 20;

// gRPC's name of an address: "/run/x.sock" is a Unix socket, too.
std::string GrpcAddress(const std::string& address) {
  return address.starts_with('/') ? "unix:" + address : address;
}

bool IsUnixSocket(const std::string& address) { return address.starts_with("unix:"); }

// The part of gRPC's text after its own chain of wrappers and the address: "No such file or
// directory".
std::string RootCause(const std::string& message) {
  constexpr std::string_view kMarker = "last error: ";
  const size_t at = message.rfind(kMarker);
  std::string cause = at == std::string::npos ? message : message.substr(at + kMarker.size());
  for (const std::string_view wrapper :
       {"UNKNOWN: ", "UNAVAILABLE: ", "INTERNAL: ", "unix:", "ipv4:", "ipv6:"}) {
    if (cause.starts_with(wrapper))
      cause.erase(0, std::min(cause.find(": "), cause.size() - 2) + 2);
  }
  return cause;
}

// What to do about a connection that could not be made.
std::string HintFor(const std::string& cause, std::string_view address, bool gateway) {
  const auto says = [&](const char* text) { return cause.find(text) != std::string::npos; };
  if (says("Permission denied")) {
    return "This user may not use the socket: try sudo, or join the group that owns it.";
  }
  if (says("not in peer certificate")) {
    return "Name the controller as its certificate does, with --controller.";
  }
  if (says("SSL") || says("Ssl")) {
    return "The TLS handshake failed: does --ca name the CA of the controller's certificate?";
  }
  const bool closed = says("Socket closed") || says("Connection reset");
  if (closed && !address.starts_with("unix:")) {
    return "It closed the connection: does the controller trust the CA of --certificate?";
  }
  return gateway ? "Is cordon-gateway running on this machine? Name its socket with "
                   "--gateway-socket PATH."
                 : "Is cordon-controller running? Name another address with --controller ADDRESS "
                   "or CORDON_CONTROLLER.";
}

}  // namespace

CallScope::CallScope(Interrupt& interrupt, const Options& options, Limit limit)
    : interrupt_(interrupt) {
  if (limit == Limit::kTimeout) call_.set_deadline(Clock::now() + options.timeout);
  interrupt_.Add(call_);
}

Context::Context(Console& console, Options options, Interrupt& interrupt)
    : console_(console), options_(std::move(options)), interrupt_(interrupt) {}

std::string Context::Address() const {
  if (options_.gateway_socket.empty()) return GrpcAddress(options_.controller);
  return IsUnixSocket(options_.gateway_socket) ? options_.gateway_socket
                                               : "unix:" + options_.gateway_socket;
}

std::string Context::Target() const {
  return (options_.gateway_socket.empty() ? "the controller at " : "the gateway at ") + Address();
}

ExitCode Context::Dial() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  const std::string address = Address();
  if (IsUnixSocket(address)) {
    // gRPC would send the path as the authority, which HTTP/2 servers may refuse.
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
    channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
    return ExitCode::kDone;
  }
  if (address.find(':') == std::string::npos) {
    return Fail(ExitCode::kUsage, "--controller \"" + address + "\" has no L4 port",
                "Write HOST:PORT, or unix:PATH for a controller on this machine.");
  }
  grpc::SslCredentialsOptions tls;
  std::string missing;
  for (const auto& [option, path, content] :
       {std::tuple{"--ca", &options_.ca, &tls.pem_root_certs},
        std::tuple{"--certificate", &options_.certificate, &tls.pem_cert_chain},
        std::tuple{"--key", &options_.key, &tls.pem_private_key}}) {
    if (path->empty()) {
      missing += (missing.empty() ? "" : ", ") + std::string(option);
      continue;
    }
    InputFiles input = ReadFile(*path);
    // gRPC would take an empty CA for "the system's": an empty file is a mistake here.
    if (input.faults.empty() && input.files[0].content.empty()) {
      input.faults.push_back(*path + ": is empty");
    }
    if (!input.faults.empty()) {
      return Fail(ExitCode::kUsage, std::string(option) + ": " + input.faults.front());
    }
    *content = std::move(input.files[0].content);
  }
  if (!missing.empty()) {
    return Fail(ExitCode::kUsage,
                "a controller on TCP is reached with mutual TLS only; missing: " + missing,
                "Also from the environment: CORDON_CA, CORDON_CERTIFICATE, CORDON_KEY.");
  }
  channel_ = grpc::CreateCustomChannel(address, grpc::SslCredentials(tls), arguments);
  return ExitCode::kDone;
}

ExitCode Context::Report(const grpc::Status& status, std::string_view hint) {
  if (status.ok()) return ExitCode::kDone;
  if (interrupt_.triggered()) {
    return Fail(ExitCode::kInterrupted, "interrupted before the answer came");
  }
  const std::string message =
      status.error_message().empty() ? "refused without a message" : status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return ReportUnreachable(status);
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return Fail(ExitCode::kUnreachable,
                  Target() + " did not answer within " + FormatDuration(options_.timeout),
                  "Give it more time with --timeout, or look at its log.");
    case grpc::StatusCode::UNIMPLEMENTED:
      return Fail(ExitCode::kRefused, Target() + " does not know this call: " + message,
                  "It may be older than this cordonctl, or not be a controller at all.");
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return Fail(ExitCode::kRefused, "not permitted: " + message,
                  "The controller knows you by your certificate, or by your user on its socket.");
    default:
      return Fail(ExitCode::kRefused, message, hint);
  }
}

ExitCode Context::ReportUnreachable(const grpc::Status& status) {
  const std::string cause = RootCause(status.error_message());
  // How gRPC tells that the credentials could not be used at all.
  if (cause.starts_with("empty address list")) {
    return Fail(ExitCode::kUsage, "--ca, --certificate or --key cannot be used",
                "Each is a PEM file, and the key belongs to the certificate.");
  }
  return Fail(ExitCode::kUnreachable, "cannot reach " + Target() + ": " + cause,
              HintFor(cause, Address(), !options_.gateway_socket.empty()));
}

ExitCode Context::Fail(ExitCode code, std::string_view message, std::string_view hint) {
  err() << Paint("error:", Tone::kBad, console_.err_style) << ' ' << Printable(message) << '\n';
  if (!hint.empty()) err() << hint << '\n';
  return code;
}

void Context::Warn(std::string_view message) {
  err() << Paint("warning:", Tone::kWarning, console_.err_style) << ' ' << Printable(message)
        << '\n';
}

void Context::Write(const boost::json::value& tree) {
  options_.output == OutputFormat::kYaml ? WriteYaml(tree, out()) : WriteJson(tree, out());
}

void Context::Write(const google::protobuf::Message& message) { Write(ToTree(message)); }

}  // namespace cordon::cp::cli
