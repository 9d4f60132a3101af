// SPDX-License-Identifier: Apache-2.0
// gRPC credentials from PEM files: mutual TLS everywhere but on Unix sockets, whose access the file
// system guards. Every fault of the files is named, before a handshake fails without saying why.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grpc {
class ChannelCredentials;
class ServerBuilder;
class ServerCredentials;
}  // namespace grpc

namespace cordon::dp {

struct TlsFiles {
  std::string ca;           // certificates of the CAs whose peers are trusted
  std::string certificate;  // own certificate, with intermediate ones behind it
  std::string key;          // its private key, not encrypted
};

// Reads and checks the files: there, PEM, valid at `now`, key fits certificate, certificate issued
// by the CA. Returns all faults as sentences that begin with the file's name.
std::vector<std::string> CheckTlsFiles(const TlsFiles& files,
                                       std::chrono::system_clock::time_point now);

// When the certificate stops being valid; nullopt if it cannot be read. For alarms and metrics.
std::optional<std::chrono::system_clock::time_point> CertificateExpiry(const std::string& file);

// "unix:/path" or "unix:///path".
bool IsUnixAddress(std::string_view address);

template <typename Credentials>
struct CredentialsResult {
  std::shared_ptr<Credentials> credentials;  // null if there are faults
  std::vector<std::string> faults;
};

// For a server that listens at `address`; a client must show a certificate of the CA. Without
// `files` only a Unix address is served.
CredentialsResult<grpc::ServerCredentials> MakeServerCredentials(
    std::string_view address, const std::optional<TlsFiles>& files);
// For a client that dials `address`; the server's certificate must name the host.
CredentialsResult<grpc::ChannelCredentials> MakeChannelCredentials(
    std::string_view address, const std::optional<TlsFiles>& files);

// Lets clients ping as often as gateways and cordonctl do (see GatewayAgent), and bounds messages
// to `max_message_bytes`. Call on every server that gateways dial.
void ApplyServerLimits(grpc::ServerBuilder& builder, int max_message_bytes);

}  // namespace cordon::dp
