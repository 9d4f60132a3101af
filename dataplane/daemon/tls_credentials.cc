// SPDX-License-Identifier: Apache-2.0
#include "dataplane/daemon/tls_credentials.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <ctime>
#include <fstream>
#include <sstream>
#include <system_error>

namespace cordon::dp {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

std::optional<std::string> ReadFile(const std::string& path, std::vector<std::string>& faults) {
  constexpr size_t kLargest = 1024 * 1024;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    faults.push_back(path + ": cannot be read: " + std::generic_category().message(errno));
    return std::nullopt;
  }
  std::string content(kLargest + 1, '\0');
  stream.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<size_t>(stream.gcount()));
  if (content.empty() || content.size() > kLargest) {
    faults.push_back(path + ": must be a PEM file of at most 1 MiB, and not empty");
    return std::nullopt;
  }
  return content;
}

Bio OpenMemory(const std::string& content) {
  return Bio(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
}

std::vector<Certificate> ReadCertificates(const std::string& content) {
  std::vector<Certificate> certificates;
  const Bio bio = OpenMemory(content);
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(next);
  }
  ERR_clear_error();  // the end of the file is an error to OpenSSL
  return certificates;
}

// Refuses encrypted keys instead of asking a terminal for their password.
int NoPassword(char*, int, int, void*) { return -1; }

PrivateKey ReadKey(const std::string& content) {
  const Bio bio = OpenMemory(content);
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  ERR_clear_error();
  return key;
}

std::optional<std::chrono::system_clock::time_point> ToTime(const ASN1_TIME* asn1) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(asn1, &utc) != 1) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&utc));
}

std::string ToText(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

// Why `certificate` is not one that holders of `authorities` trust at `now`; empty if it is.
std::string VerifyFault(const std::vector<Certificate>& authorities,
                        const std::vector<Certificate>& chain,
                        std::chrono::system_clock::time_point now) {
  const Store store(X509_STORE_new());
  for (const Certificate& authority : authorities) {
    X509_STORE_add_cert(store.get(), authority.get());
  }
  STACK_OF(X509)* untrusted = sk_X509_new_null();
  for (size_t i = 1; i < chain.size(); ++i) sk_X509_push(untrusted, chain[i].get());
  const StoreContext context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), chain[0].get(), untrusted);
  X509_STORE_CTX_set_time(context.get(), 0, std::chrono::system_clock::to_time_t(now));
  const bool trusted = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  sk_X509_free(untrusted);
  ERR_clear_error();
  return trusted ? "" : X509_verify_cert_error_string(error);
}

void CheckValidity(const std::string& file, const X509* certificate,
                   std::chrono::system_clock::time_point now, std::vector<std::string>& faults) {
  const auto begin = ToTime(X509_get0_notBefore(certificate));
  const auto end = ToTime(X509_get0_notAfter(certificate));
  if (end && now > *end) {
    faults.push_back(file + ": certificate expired at " + ToText(*end));
  } else if (begin && now < *begin) {
    faults.push_back(file + ": certificate is valid only from " + ToText(*begin) +
                     " (is the clock right?)");
  }
}

struct TlsContents {
  std::string ca, certificate, key;
  std::vector<std::string> faults;
};

TlsContents ReadAndCheck(const TlsFiles& files, std::chrono::system_clock::time_point now) {
  TlsContents contents;
  auto& faults = contents.faults;
  contents.ca = ReadFile(files.ca, faults).value_or("");
  contents.certificate = ReadFile(files.certificate, faults).value_or("");
  contents.key = ReadFile(files.key, faults).value_or("");
  const auto authorities = ReadCertificates(contents.ca);
  const auto chain = ReadCertificates(contents.certificate);
  const PrivateKey key = contents.key.empty() ? nullptr : ReadKey(contents.key);
  if (!contents.ca.empty() && authorities.empty()) {
    faults.push_back(files.ca + ": holds no certificate in PEM form");
  }
  if (!contents.certificate.empty() && chain.empty()) {
    faults.push_back(files.certificate + ": holds no certificate in PEM form");
  }
  if (!contents.key.empty() && !key) {
    faults.push_back(files.key + ": holds no unencrypted private key in PEM form");
  }
  const size_t unreadable = faults.size();
  for (const Certificate& authority : authorities) {
    CheckValidity(files.ca, authority.get(), now, faults);
  }
  if (!chain.empty()) CheckValidity(files.certificate, chain[0].get(), now, faults);
  if (!chain.empty() && key && X509_check_private_key(chain[0].get(), key.get()) != 1) {
    ERR_clear_error();
    faults.push_back(files.key + ": does not match the certificate in " + files.certificate);
  }
  if (faults.size() == unreadable && !authorities.empty() && !chain.empty()) {
    const std::string fault = VerifyFault(authorities, chain, now);
    if (!fault.empty()) {
      faults.push_back(files.certificate + ": was not issued by the CA in " + files.ca + " (" +
                       fault + ")");
    }
  }
  return contents;
}

}  // namespace

std::vector<std::string> CheckTlsFiles(const TlsFiles& files,
                                       std::chrono::system_clock::time_point now) {
  return ReadAndCheck(files, now).faults;
}

std::optional<std::chrono::system_clock::time_point> CertificateExpiry(const std::string& file) {
  std::vector<std::string> ignored;
  const auto content = ReadFile(file, ignored);
  if (!content) return std::nullopt;
  const auto certificates = ReadCertificates(*content);
  if (certificates.empty()) return std::nullopt;
  return ToTime(X509_get0_notAfter(certificates[0].get()));
}

bool IsUnixAddress(std::string_view address) { return address.starts_with("unix:"); }

CredentialsResult<grpc::ServerCredentials> MakeServerCredentials(
    std::string_view address, const std::optional<TlsFiles>& files) {
  if (IsUnixAddress(address)) return {grpc::InsecureServerCredentials(), {}};
  if (!files) {
    return {nullptr, {std::string(address) + ": only a unix: address is served without TLS"}};
  }
  TlsContents contents = ReadAndCheck(*files, std::chrono::system_clock::now());
  if (!contents.faults.empty()) return {nullptr, std::move(contents.faults)};
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = contents.ca;
  options.pem_key_cert_pairs.push_back({contents.key, contents.certificate});
  return {grpc::SslServerCredentials(options), {}};
}

CredentialsResult<grpc::ChannelCredentials> MakeChannelCredentials(
    std::string_view address, const std::optional<TlsFiles>& files) {
  if (IsUnixAddress(address)) return {grpc::InsecureChannelCredentials(), {}};
  if (!files) {
    return {nullptr, {std::string(address) + ": only a unix: address is dialled without TLS"}};
  }
  TlsContents contents = ReadAndCheck(*files, std::chrono::system_clock::now());
  if (!contents.faults.empty()) return {nullptr, std::move(contents.faults)};
  return {grpc::SslCredentials({contents.ca, contents.key, contents.certificate}), {}};
}

void ApplyServerLimits(grpc::ServerBuilder& builder, int max_message_bytes) {
  builder.SetMaxReceiveMessageSize(max_message_bytes);
  builder.SetMaxSendMessageSize(-1);  // what we send, we chose
  // A gateway pings an idle connection every 10 s to notice a dead network; by default gRPC takes
  // that for abuse and closes the connection.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

}  // namespace cordon::dp
