// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>

#include "dataplane/daemon/tls_credentials.h"
#include "tests/unit/controlplane/rpc/rpc_fixture.h"

namespace cordon::cp {
namespace {

using testing::HasSubstr;

// A controller on TCP with the certificates of lab "one"; "other" is another CA.
class MutualTlsTest : public ControllerTest {
 protected:
  void SetUp() override {
    ControllerTest::SetUp();
    for (const char* lab : {"one", "other"}) {
      const std::string command =
          std::string(CORDON_SOURCE_DIR) +
          "/scripts/make-certificates --gateway radiology-1 --gateway other-1 " + directory_ + "/" +
          lab + " > /dev/null";
      ASSERT_EQ(std::system(command.c_str()), 0);
    }
    StopController();
    options_.tcp_address = "127.0.0.1:0";
    auto made = dp::MakeServerCredentials(options_.tcp_address, Files("one", "controller"));
    ASSERT_NE(made.credentials, nullptr);
    options_.tcp_credentials = made.credentials;
    StartController();
    Apply(kRadiology);
  }
  dp::TlsFiles Files(const std::string& lab, const std::string& holder) const {
    const std::string base = directory_ + "/" + lab + "/";
    return {base + "ca.crt", base + holder + ".crt", base + holder + ".key"};
  }
  static std::string Read(const std::string& file) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  // A client that trusts the controller and shows `holder`'s certificate of `lab`.
  std::shared_ptr<grpc::Channel> DialTcp(const std::string& lab, const std::string& holder) const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = Read(Files("one", holder).ca);
    options.pem_cert_chain = Read(Files(lab, holder).certificate);
    options.pem_private_key = Read(Files(lab, holder).key);
    return grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->tcp_port()),
                               grpc::SslCredentials(options));
  }
  grpc::Status Rollback(const std::shared_ptr<grpc::Channel>& channel) {
    auto policy = v1::PolicyService::NewStub(channel);
    v1::ApplyResponse response;
    return TryCall(*policy, &v1::PolicyService::Stub::Rollback, v1::RollbackRequest(), &response);
  }
};

TEST_F(MutualTlsTest, AdministratorSignsChangesWithTheCommonName) {
  Apply(ProfileWithPort(4242));
  const auto status = Rollback(DialTcp("one", "admin"));
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ((*engine_->ListGenerations(1))[0].author, "admin");
}

TEST_F(MutualTlsTest, ClientOfAnotherCaIsRefused) {
  EXPECT_EQ(Rollback(DialTcp("other", "admin")).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(engine_->Current()->generation, 1);
}

TEST_F(MutualTlsTest, ClientWithoutACertificateIsRefused) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = Read(Files("one", "admin").ca);
  const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->tcp_port()),
                                           grpc::SslCredentials(options));
  EXPECT_EQ(Rollback(channel).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(MutualTlsTest, ClientWithoutTlsIsRefused) {
  const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->tcp_port()),
                                           grpc::InsecureChannelCredentials());
  EXPECT_EQ(Rollback(channel).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(MutualTlsTest, GatewayWithItsOwnCertificateGetsItsPolicy) {
  FakeGateway gateway(DialTcp("one", "radiology-1"));
  EXPECT_EQ(gateway.ConnectAndTakePush("radiology-1").generation(), 1);
}

TEST_F(MutualTlsTest, GatewayWithTheCertificateOfAnotherNameIsRefused) {
  FakeGateway gateway(DialTcp("one", "other-1"));
  gateway.Hello("radiology-1");
  const auto status = gateway.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), HasSubstr("names 'other-1'"));
}

TEST_F(MutualTlsTest, AdministratorsCertificateIsNoGateways) {
  FakeGateway gateway(DialTcp("one", "admin"));
  gateway.Hello("radiology-1");
  const auto status = gateway.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), HasSubstr("is not a gateway's"));
}

TEST_F(MutualTlsTest, CertificateOfAGatewayThatIsNotConfiguredMayNotChangePolicy) {
  const auto status = Rollback(DialTcp("one", "other-1"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), HasSubstr("is a gateway's"));
}

TEST_F(MutualTlsTest, GatewaysCertificateMayNotChangePolicy) {
  const auto status = Rollback(DialTcp("one", "radiology-1"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), HasSubstr("is a gateway's"));
}

}  // namespace
}  // namespace cordon::cp
