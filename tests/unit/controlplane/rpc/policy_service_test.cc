// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>

#include "tests/unit/controlplane/rpc/rpc_fixture.h"

namespace cordon::cp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PolicyServiceTest : public ControllerTest {
 protected:
  v1::ListGenerationsResponse Generations() {
    return Call(*policy_, &v1::PolicyService::Stub::ListGenerations, v1::ListGenerationsRequest());
  }
  v1::ExplainRequest StoreImages() {
    v1::ExplainRequest request;
    request.set_device("ct-2");
    request.set_initiator(v1::INITIATOR_DEVICE);
    request.set_peer_ip("10.20.0.10");
    request.set_protocol(v1::PROTOCOL_TCP);
    request.set_peer_port(104);
    return request;
  }
  v1::ExplainResponse Explain(const v1::ExplainRequest& request) {
    return Call(*policy_, &v1::PolicyService::Stub::Explain, request);
  }
};

TEST_F(PolicyServiceTest, ApplyStoresAGenerationAndNamesWhatChanged) {
  const auto response = Apply(kRadiology, "first");
  EXPECT_THAT(response.faults(), IsEmpty());
  EXPECT_EQ(response.generation(), 1);
  EXPECT_THAT(response.changes(), SizeIs(4));
  EXPECT_THAT(response.gateways(), ElementsAre("radiology-1"));
}

TEST_F(PolicyServiceTest, ApplyOfTheSameDocumentsChangesNothing) {
  Apply(kRadiology);
  const auto response = Apply(kRadiology);
  EXPECT_EQ(response.generation(), 0);
  EXPECT_THAT(response.changes(), IsEmpty());
  EXPECT_THAT(Generations().generations(), SizeIs(1));
}

TEST_F(PolicyServiceTest, ApplyReportsAllFaultsAndChangesNothing) {
  Apply(kRadiology);
  const auto response = Apply(R"(
kind: Device
name: ct-3
identity: {mac: ["02:00:00:00:30:21"], ip: [10.30.0.22], vlan: 30}
profile: no-such-profile
gateway: no-such-gateway
pair: ct-suite
mode: enforce
---
kind: Peer
name: broken
addresses: [10.20.0.300]
)");
  std::string all;
  for (const auto& fault : response.faults()) all += fault.path() + " " + fault.message() + "\n";
  EXPECT_THAT(all, HasSubstr("no-such-profile"));
  EXPECT_THAT(all, HasSubstr("no-such-gateway"));
  EXPECT_THAT(all, HasSubstr("10.20.0.300"));
  EXPECT_THAT(all, HasSubstr("policy.yaml:"));
  EXPECT_EQ(response.generation(), 0);
  EXPECT_EQ(engine_->Current()->generation, 1);
  EXPECT_THAT(engine_->Current()->configuration.devices, SizeIs(1));
}

TEST_F(PolicyServiceTest, ApplyWithValidateOnlyNamesChangesButStoresNothing) {
  v1::ApplyRequest request;
  auto& file = *request.add_files();
  file.set_file("policy.yaml");
  file.set_content(kRadiology);
  request.set_validate_only(true);
  const auto response = Call(*policy_, &v1::PolicyService::Stub::Apply, request);
  EXPECT_THAT(response.changes(), SizeIs(4));
  EXPECT_EQ(response.generation(), 0);
  EXPECT_EQ(engine_->Current()->generation, 0);
}

TEST_F(PolicyServiceTest, ApplyWithoutFilesIsAnInvalidArgument) {
  v1::ApplyResponse response;
  v1::ApplyRequest request;
  request.set_comment(std::string("bell\a"));
  const auto status = TryCall(*policy_, &v1::PolicyService::Stub::Apply, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("files is empty"));
  EXPECT_THAT(status.error_message(), HasSubstr("comment has control characters"));
}

TEST_F(PolicyServiceTest, DiffTellsTheEffectInNamesAndChangesNothing) {
  Apply(kRadiology);
  v1::DiffRequest request;
  auto& file = *request.add_files();
  file.set_file("policy.yaml");
  file.set_content(ProfileWithPort(4242));
  const auto response = Call(*policy_, &v1::PolicyService::Stub::Diff, request);
  EXPECT_THAT(response.gateways(), ElementsAre("radiology-1"));
  EXPECT_THAT(response.changes(), SizeIs(1));
  EXPECT_THAT(response.effects(), testing::Contains(HasSubstr("ct-2")));
  EXPECT_EQ(engine_->Current()->generation, 1);
}

TEST_F(PolicyServiceTest, LedgerNamesTheLocalUserAndTheReason) {
  Apply(kRadiology, "radiology moves in");
  const auto generations = Generations().generations();
  ASSERT_THAT(generations, SizeIs(1));
  EXPECT_EQ(generations[0].author(), "local:" + std::string(::getpwuid(::getuid())->pw_name));
  EXPECT_EQ(generations[0].origin(), "apply");
  EXPECT_EQ(generations[0].comment(), "radiology moves in");
}

TEST_F(PolicyServiceTest, RollbackBringsOldContentBackUnderANewGeneration) {
  Apply(kRadiology);
  Apply(ProfileWithPort(4242));
  v1::RollbackRequest request;
  request.set_to_generation(1);
  const auto response = Call(*policy_, &v1::PolicyService::Stub::Rollback, request);
  EXPECT_EQ(response.generation(), 3);
  EXPECT_EQ(Explain(StoreImages()).verdict(), v1::VERDICT_FORWARD);
  EXPECT_EQ(Generations().generations(0).origin(), "rollback to 1");
}

TEST_F(PolicyServiceTest, RollbackWithoutANumberGoesOneBack) {
  Apply(kRadiology);
  Apply(ProfileWithPort(4242));
  EXPECT_EQ(Explain(StoreImages()).verdict(), v1::VERDICT_DROP);
  Call(*policy_, &v1::PolicyService::Stub::Rollback, v1::RollbackRequest());
  EXPECT_EQ(Explain(StoreImages()).verdict(), v1::VERDICT_FORWARD);
}

TEST_F(PolicyServiceTest, RollbackToAnUnknownGenerationIsNotFound) {
  Apply(kRadiology);
  v1::ApplyResponse response;
  v1::RollbackRequest request;
  request.set_to_generation(77);
  const auto status = TryCall(*policy_, &v1::PolicyService::Stub::Rollback, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(engine_->Current()->generation, 1);
}

TEST_F(PolicyServiceTest, ExplainNamesTheRuleAndWhyItExists) {
  Apply(kRadiology);
  const auto response = Explain(StoreImages());
  EXPECT_EQ(response.verdict(), v1::VERDICT_FORWARD);
  EXPECT_EQ(response.rule(), "ct-scanner/store-images");
  EXPECT_EQ(response.rule_reason(), "images go to the archive");
  EXPECT_EQ(response.generation(), 1);
  EXPECT_FALSE(response.enforced());  // no gateway is connected
}

TEST_F(PolicyServiceTest, ExplainReportsEveryBadField) {
  v1::ExplainRequest request;
  request.set_peer_ip("10.0.0.300");
  request.set_peer_port(70'000);
  v1::ExplainResponse response;
  const auto status = TryCall(*policy_, &v1::PolicyService::Stub::Explain, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  for (const char* field : {"device ", "initiator ", "protocol ", "peer_ip ", "peer_port "}) {
    EXPECT_THAT(status.error_message(), HasSubstr(field));
  }
}

TEST_F(PolicyServiceTest, RestartOnTheSameDatabaseKeepsEverything) {
  Apply(kRadiology, "first");
  Apply(ProfileWithPort(4242));
  StopController();
  StartController();
  EXPECT_THAT(Generations().generations(), SizeIs(2));
  EXPECT_EQ(GetGateway("radiology-1").intended_generation(), 2);
  EXPECT_EQ(Apply(ProfileWithPort(4243)).generation(), 3);
}

}  // namespace
}  // namespace cordon::cp
