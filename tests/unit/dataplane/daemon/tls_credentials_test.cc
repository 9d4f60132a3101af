// SPDX-License-Identifier: Apache-2.0
#include "dataplane/daemon/tls_credentials.h"

#include <gmock/gmock.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace cordon::dp {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Certificates of two labs, made once by the script that administrators use.
class TlsCredentialsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ =
        std::filesystem::temp_directory_path() / ("cordon-tls-test-" + std::to_string(getpid()));
    for (const char* lab : {"one", "other"}) {
      const std::string command = std::string(CORDON_SOURCE_DIR) +
                                  "/scripts/make-certificates --gateway gw " +
                                  (directory_ / lab).string() + " > /dev/null";
      ASSERT_EQ(std::system(command.c_str()), 0);
    }
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(directory_); }

  static std::string File(const std::string& name) { return (directory_ / name).string(); }
  static TlsFiles Good() {
    return {File("one/ca.crt"), File("one/controller.crt"), File("one/controller.key")};
  }
  static std::vector<std::string> Check(const TlsFiles& files) {
    return CheckTlsFiles(files, std::chrono::system_clock::now());
  }

  static inline std::filesystem::path directory_;
};

TEST_F(TlsCredentialsTest, TakesWhatTheScriptMade) {
  EXPECT_THAT(Check(Good()), IsEmpty());
  EXPECT_NE(MakeServerCredentials("0.0.0.0:7443", Good()).credentials, nullptr);
  EXPECT_NE(MakeChannelCredentials("localhost:7443", Good()).credentials, nullptr);
}

TEST_F(TlsCredentialsTest, NamesEveryFileThatIsMissing) {
  EXPECT_THAT(Check({"/no/ca", "/no/certificate", "/no/key"}),
              ElementsAre(HasSubstr("/no/ca: cannot be read: No such file"),
                          HasSubstr("/no/certificate: cannot"), HasSubstr("/no/key: cannot")));
}

TEST_F(TlsCredentialsTest, NamesAFileThatIsNotPem) {
  std::ofstream(File("junk")) << "junk\n";
  EXPECT_THAT(Check({File("junk"), File("junk"), File("junk")}),
              ElementsAre(HasSubstr("holds no certificate"), HasSubstr("holds no certificate"),
                          HasSubstr("holds no unencrypted private key")));
}

TEST_F(TlsCredentialsTest, NamesAnExpiredCertificateAndOneNotYetValid) {
  const auto now = std::chrono::system_clock::now();
  EXPECT_THAT(CheckTlsFiles(Good(), now + 24h * 500),
              ElementsAre(HasSubstr("controller.crt: certificate expired at 2")));
  EXPECT_THAT(CheckTlsFiles(Good(), now - 24h * 500), SizeIs(2));
}

TEST_F(TlsCredentialsTest, NamesAKeyThatDoesNotMatch) {
  TlsFiles files = Good();
  files.key = File("one/gw.key");
  EXPECT_THAT(Check(files), ElementsAre(HasSubstr("gw.key: does not match")));
  EXPECT_EQ(MakeServerCredentials("0.0.0.0:7443", files).credentials, nullptr);
}

TEST_F(TlsCredentialsTest, NamesACertificateOfAnotherCa) {
  TlsFiles files = Good();
  files.ca = File("other/ca.crt");
  EXPECT_THAT(Check(files), ElementsAre(HasSubstr("was not issued by the CA in")));
}

TEST_F(TlsCredentialsTest, KnowsWhenACertificateExpires) {
  const auto expiry = CertificateExpiry(File("one/controller.crt"));
  ASSERT_TRUE(expiry.has_value());
  EXPECT_GT(*expiry, std::chrono::system_clock::now() + 24h * 360);
  EXPECT_EQ(CertificateExpiry("/no/file"), std::nullopt);
}

TEST_F(TlsCredentialsTest, GoesWithoutTlsOnlyOnUnixSockets) {
  EXPECT_NE(MakeServerCredentials("unix:/run/x.sock", std::nullopt).credentials, nullptr);
  EXPECT_NE(MakeChannelCredentials("unix:/run/x.sock", std::nullopt).credentials, nullptr);
  EXPECT_THAT(MakeServerCredentials("127.0.0.1:1", std::nullopt).faults, SizeIs(1));
  EXPECT_THAT(MakeChannelCredentials("127.0.0.1:1", std::nullopt).faults, SizeIs(1));
}

}  // namespace
}  // namespace cordon::dp
