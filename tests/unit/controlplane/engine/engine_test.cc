// SPDX-License-Identifier: Apache-2.0
// The engine with a store that can be made to fail or to hang.
#include "controlplane/engine/engine.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace cordon::cp {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Passes everything on to a real store, unless told otherwise.
class MoodyStore final : public Store {
 public:
  absl::StatusOr<Configuration> LoadConfiguration() override { return real_->LoadConfiguration(); }
  absl::StatusOr<Configuration> LoadConfigurationAt(uint64_t generation) override {
    return real_->LoadConfigurationAt(generation);
  }
  absl::StatusOr<uint64_t> LatestGeneration() override { return real_->LatestGeneration(); }
  absl::Status Commit(const Configuration& configuration, const GenerationRecord& record) override {
    if (full) return absl::ResourceExhaustedError("disk full");
    return real_->Commit(configuration, record);
  }
  absl::StatusOr<std::vector<GenerationRecord>> ListGenerations(size_t limit) override {
    return real_->ListGenerations(limit);
  }
  absl::StatusOr<std::vector<GatewayRecord>> LoadGateways() override {
    return real_->LoadGateways();
  }
  absl::Status SaveGateway(const GatewayRecord& record) override {
    std::unique_lock lock(mutex_);
    woken_.wait(lock, [this] { return !hanging_; });
    if (full) return absl::ResourceExhaustedError("disk full");
    return real_->SaveGateway(record);
  }
  absl::Status AddObservations(const std::vector<Observation>& observations) override {
    return full ? absl::ResourceExhaustedError("disk full") : real_->AddObservations(observations);
  }
  absl::StatusOr<std::vector<Observation>> LoadObservations(
      const std::vector<std::string>& devices) override {
    return real_->LoadObservations(devices);
  }
  void SetHanging() {
    std::lock_guard lock(mutex_);
    hanging_ = true;
  }
  void StopHanging() {
    std::lock_guard lock(mutex_);
    hanging_ = false;
    woken_.notify_all();
  }

  std::atomic<bool> full = false;

 private:
  const std::unique_ptr<Store> real_ = *OpenSqliteStore({.path = ":memory:"});
  std::mutex mutex_;
  std::condition_variable woken_;
  bool hanging_ = false;  // guarded by mutex_
};

DocumentSource GatewayNamed(const std::string& name, const std::string& pair = "ward") {
  return {"g.yaml", "kind: Gateway\nname: " + name + "\npairs: [{name: " + pair + "}]\n"};
}

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    auto store = std::make_unique<MoodyStore>();
    store_ = store.get();
    engine_ = *Engine::Open(std::move(store));
  }
  ~EngineTest() override { store_->StopHanging(); }
  absl::StatusOr<ChangeResult> Apply(const DocumentSource& source) {
    return engine_->Apply({source}, {.author = "test", .comment = ""});
  }

  MoodyStore* store_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, FullDiskRefusesAChangeAndChangesNothing) {
  ASSERT_TRUE(Apply(GatewayNamed("icu-1")).ok());
  engine_->Flush();  // what the change left to the background writer must not meet the full disk
  store_->full = true;
  const auto refused = Apply(GatewayNamed("icu-2"));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(engine_->Current()->generation, 1);
  EXPECT_THAT(engine_->fleet().List(), SizeIs(1));
  EXPECT_EQ(engine_->store_errors(), 1);
  store_->full = false;
  EXPECT_EQ(Apply(GatewayNamed("icu-2"))->generation, 2);
}

TEST_F(EngineTest, GatewaySessionDoesNotWaitForAHangingDisk) {
  ASSERT_TRUE(Apply(GatewayNamed("icu-1")).ok());
  engine_->Flush();
  store_->SetHanging();
  const auto waker = std::make_shared<Waker>([] {});
  const auto session = engine_->fleet().Connect(
      {.gateway = "icu-1", .instance = "a", .software_version = "t", .enforced_generation = 0},
      waker);
  ASSERT_TRUE(session.ok());
  const auto order = engine_->fleet().NextOrder("icu-1", *session);
  EXPECT_EQ(order.kind, SessionOrder::Kind::kPush);
  engine_->fleet().OnAck("icu-1", *session, 1, "");
  EXPECT_EQ(engine_->fleet().Find("icu-1")->view.state, GatewayState::kEnforcing);
}

TEST_F(EngineTest, HeartbeatThatContradictsTheAckIsAFaultOfTheGateway) {
  Apply(GatewayNamed("icu-1")).IgnoreError();
  const auto waker = std::make_shared<Waker>([] {});
  Fleet& fleet = engine_->fleet();
  const auto session = fleet.Connect(
      {.gateway = "icu-1", .instance = "a", .software_version = "t", .enforced_generation = 1},
      waker);
  fleet.OnVitals("icu-1", *session, {.enforced_generation = 1});
  EXPECT_EQ(fleet.Find("icu-1")->view.state, GatewayState::kEnforcing);
  fleet.OnVitals("icu-1", *session, {.enforced_generation = 0});
  EXPECT_EQ(fleet.Find("icu-1")->view.state, GatewayState::kRefused);
  EXPECT_THAT(fleet.Find("icu-1")->view.faults, SizeIs(1));
}

TEST_F(EngineTest, RollbackThatRemovesAGatewayEndsItsSession) {
  Apply(GatewayNamed("icu-1")).IgnoreError();
  Apply(GatewayNamed("icu-2")).IgnoreError();
  int wakes = 0;
  const auto waker = std::make_shared<Waker>([&] { ++wakes; });
  const auto session = engine_->fleet().Connect(
      {.gateway = "icu-2", .instance = "a", .software_version = "t", .enforced_generation = 0},
      waker);
  const auto result = engine_->Rollback(1, {.author = "test", .comment = ""});
  EXPECT_EQ(result->generation, 3);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(engine_->fleet().NextOrder("icu-2", *session).kind, SessionOrder::Kind::kRemoved);
}

TEST_F(EngineTest, ApplyReportsFaultsOfTextAndOfMeaningTogether) {
  const auto result =
      engine_->Apply({{"p.yaml", "kind: Peer\nname: a\naddresses: [10.0.0.300]\n"},
                      {"d.yaml",
                       "kind: Device\nname: d\nidentity: {mac: [\"02:00:00:00:00:01\"]}\n"
                       "gateway: nowhere\npair: ward\nmode: enforce\n"}},
                     {.author = "test", .comment = ""});
  std::string all;
  for (const InputFault& fault : result->faults) all += fault.place + " " + fault.message + "\n";
  EXPECT_THAT(all, HasSubstr("10.0.0.300"));
  EXPECT_THAT(all, HasSubstr("nowhere"));
}

TEST_F(EngineTest, ConcurrentChangesEachGetAGenerationOfTheirOwn) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back(
        [this, i] { EXPECT_TRUE(Apply(GatewayNamed("icu-" + std::to_string(i))).ok()); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(engine_->Current()->generation, 8);
  EXPECT_THAT(engine_->Current()->configuration.gateways, SizeIs(8));
}

}  // namespace
}  // namespace cordon::cp
