// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/controlplane/rpc/rpc_fixture.h"

namespace cordon::cp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kMapping[] = R"(
columns:
  name: [Name]
  mac: [MAC]
  ip: [IP]
  class: [Class]
  serial: [Serial]
  vendor: [Vendor]
  gateway: [Gateway]
  pair: [Pair]
  profile: [Profile]
)";
constexpr char kHeader[] = "Name,MAC,IP,Class,Serial,Vendor,Gateway,Pair,Profile\n";

class DeviceServiceTest : public ControllerTest {
 protected:
  void SetUp() override {
    ControllerTest::SetUp();
    Apply(kRadiology);
  }
  v1::ImportDevicesResponse Import(const std::string& rows) {
    v1::ImportDevicesRequest request;
    request.set_file("inventory.csv");
    request.set_content(kHeader + rows);
    request.set_mapping_file("mapping.yaml");
    request.set_mapping(kMapping);
    request.set_validate_only(validate_only_);
    return Call(*devices_, &v1::DeviceService::Stub::ImportDevices, request);
  }
  static std::string Row(int number, const std::string& gateway = "radiology-1") {
    const std::string n = std::to_string(number);
    return "ct-" + n + ",02:00:00:00:31:" + n + ",10.30.1." + n + ",ct,SN" + n + ",Example," +
           gateway + ",ct-suite,ct-scanner\n";
  }

  bool validate_only_ = false;
};

TEST_F(DeviceServiceTest, ImportAddsDevicesToThePolicyOfTheirGateway) {
  const auto response = Import(Row(10) + Row(11));
  EXPECT_THAT(response.errors(), IsEmpty());
  EXPECT_THAT(response.added(), ElementsAre("ct-10", "ct-11"));
  EXPECT_EQ(response.generation(), 2);
  EXPECT_THAT(response.gateways(), ElementsAre("radiology-1"));
}

TEST_F(DeviceServiceTest, ImportLeavesOutARowThatThePolicyCannotTakeAndNamesIt) {
  const auto response = Import(Row(10) + Row(11, "no-such-gateway") + Row(12));
  EXPECT_THAT(response.added(), ElementsAre("ct-10", "ct-12"));
  ASSERT_THAT(response.errors(), SizeIs(1));
  EXPECT_THAT(response.errors(0).path(), HasSubstr("inventory.csv:3"));
  EXPECT_THAT(response.errors(0).message(), HasSubstr("no-such-gateway"));
  EXPECT_EQ(response.generation(), 2);
}

TEST_F(DeviceServiceTest, ImportWithValidateOnlyChangesNothing) {
  validate_only_ = true;
  EXPECT_THAT(Import(Row(10)).added(), SizeIs(1));
  EXPECT_EQ(engine_->Current()->generation, 1);
}

TEST_F(DeviceServiceTest, ImportOfTheSameFileTwiceMakesNoGeneration) {
  Import(Row(10));
  const auto again = Import(Row(10));
  EXPECT_EQ(again.generation(), 0);
  EXPECT_EQ(again.unchanged(), 1);
}

TEST_F(DeviceServiceTest, ImportWithoutContentIsAnInvalidArgument) {
  v1::ImportDevicesResponse response;
  const auto status = TryCall(*devices_, &v1::DeviceService::Stub::ImportDevices,
                              v1::ImportDevicesRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("file is missing; content is empty"));
}

TEST_F(DeviceServiceTest, ListPagesThroughAllDevicesInOrder) {
  Import(Row(10) + Row(11));
  v1::ListDevicesRequest request;
  request.set_page_size(2);
  auto page = Call(*devices_, &v1::DeviceService::Stub::ListDevices, request);
  ASSERT_THAT(page.devices(), SizeIs(2));
  EXPECT_EQ(page.devices(0).name(), "ct-10");
  request.set_page_token(page.next_page_token());
  page = Call(*devices_, &v1::DeviceService::Stub::ListDevices, request);
  ASSERT_THAT(page.devices(), SizeIs(1));
  EXPECT_EQ(page.devices(0).name(), "ct-2");
  EXPECT_EQ(page.next_page_token(), "");
}

TEST_F(DeviceServiceTest, GetShowsFactsProfileAndTimeOfChange) {
  v1::GetDeviceRequest request;
  request.set_name("ct-2");
  const auto device = Call(*devices_, &v1::DeviceService::Stub::GetDevice, request);
  EXPECT_EQ(device.vendor(), "Example Imaging");
  EXPECT_EQ(device.vlan().outer(), 30);
  EXPECT_EQ(device.effective_profile(), "ct-scanner");
  EXPECT_EQ(device.mode(), v1::MODE_ENFORCE);
  EXPECT_GT(device.changed().seconds(), 0);
}

TEST_F(DeviceServiceTest, GetOfAnUnknownDeviceIsNotFound) {
  v1::GetDeviceRequest request;
  request.set_name("ct-99");
  v1::Device device;
  const auto status = TryCall(*devices_, &v1::DeviceService::Stub::GetDevice, request, &device);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace cordon::cp
