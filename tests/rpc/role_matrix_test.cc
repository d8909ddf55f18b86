// Every method of the contract against every kind of caller who may not make the call, over the
// wire.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/rpc/role_gate.h"
#include "tests/rpc/rpc_fixture.h"

namespace anex::rpc {
namespace {

class RoleMatrixTest : public RpcTest {
 protected:
  void SetUp() override {
    RpcTest::SetUp();
    auto gate = RoleGate::FromContract();
    ASSERT_TRUE(gate.ok());
    gate_ = *std::move(gate);
  }
  RoleGate gate_;
};

TEST_F(RoleMatrixTest, ObserversAreRefusedWhateverIsNotForThem) {
  const Client observer = Connect(door::ListenerRole::kObserver);
  Client owner = ConnectWithSession();
  Client thief = Connect(door::ListenerRole::kObserver);  // same user, and even knows the secret
  thief.set_secret(owner.secret());
  int refused = 0;
  for (const std::string& path : gate_.Paths()) {
    const MethodRules& rules = *gate_.Find(path);
    if (rules.required_role == Role::kObserver) continue;
    ++refused;
    for (const Client* client : {&observer, static_cast<const Client*>(&thief)}) {
      const grpc::Status status = client->CallByPath(path).status;
      EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED)
          << path << ": " << status.error_message();
      EXPECT_NE(status.error_message().find(rules.name), std::string::npos) << path;
    }
  }
  EXPECT_GE(refused, 40);
}

TEST_F(RoleMatrixTest, WhatNeedsASessionIsRefusedWithoutOne) {
  Client nobody = Connect();
  Client guesser = Connect();
  guesser.set_secret(std::string(64, 'a'));
  Client victim = ConnectWithSession();
  Client foreigner = Connect(door::ListenerRole::kOwner, 777);  // another uid with the right secret
  foreigner.set_secret(victim.secret());
  Client late = ConnectWithSession();
  ASSERT_TRUE(late.CallByPath("/anex.v1.Sessions/Close").status.ok());
  int checked = 0;
  for (const std::string& path : gate_.Paths()) {
    const MethodRules& rules = *gate_.Find(path);
    if (!rules.needs_session || rules.not_built) continue;
    ++checked;
    for (const Client* client : {&nobody, &guesser, &foreigner, &late}) {
      const grpc::Status status = client->CallByPath(path).status;
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED)
          << path << ": " << status.error_message();
      EXPECT_EQ(status.error_message().find(victim.secret()), std::string::npos);
    }
  }
  EXPECT_GE(checked, 30);
}

TEST_F(RoleMatrixTest, WhatIsNotBuiltSaysSoByName) {
  const Client owner = ConnectWithSession();
  const Client observer = Connect(door::ListenerRole::kObserver);
  int unbuilt = 0;
  for (const std::string& path : gate_.Paths()) {
    const MethodRules& rules = *gate_.Find(path);
    if (!rules.not_built) continue;
    ++unbuilt;
    const Client& client = rules.required_role == Role::kObserver ? observer : owner;
    const grpc::Status status = client.CallByPath(path).status;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << path;
    EXPECT_NE(status.error_message().find(rules.name), std::string::npos)
        << path << ": " << status.error_message();
  }
  EXPECT_GE(unbuilt, 1);  // an empty list would prove nothing
}

// The other side of the matrix: what is built and allowed is neither refused nor unimplemented.
TEST_F(RoleMatrixTest, WhatIsAllowedReachesItsHandler) {
  const Client owner = ConnectWithSession();
  for (const std::string& path : gate_.Paths()) {
    const MethodRules& rules = *gate_.Find(path);
    if (rules.not_built || path == "/anex.v1.Daemon/WatchStatus" ||
        path == "/anex.v1.Sessions/Close" || path == "/anex.v1.Admin/Drain") {
      continue;
    }
    const grpc::Status status = owner.CallByPath(path).status;
    for (const auto code :
         {grpc::StatusCode::PERMISSION_DENIED, grpc::StatusCode::UNAUTHENTICATED,
          grpc::StatusCode::UNIMPLEMENTED, grpc::StatusCode::INTERNAL, grpc::StatusCode::UNKNOWN}) {
      EXPECT_NE(status.error_code(), code) << path << ": " << status.error_message();
    }
  }
  ExpectServes();
}

TEST_F(RoleMatrixTest, EveryReplyCarriesTheEpoch) {
  const std::string epoch = absl::StrCat(engine_->GetInfo({}).daemon_epoch);
  const Client owner = Connect();
  const Client observer = Connect(door::ListenerRole::kObserver);
  for (const std::string& path : gate_.Paths()) {
    if (path == "/anex.v1.Daemon/WatchStatus" || path == "/anex.v1.Admin/Drain") continue;
    EXPECT_EQ(owner.CallByPath(path).epoch, epoch) << path;
    EXPECT_EQ(observer.CallByPath(path).epoch, epoch) << path;
  }
}

TEST_F(RoleMatrixTest, UnknownMethodsAreUnimplemented) {
  const Client client = ConnectWithSession();
  for (const char* path :
       {"/anex.v1.Surfaces/Destroy", "/anex.v2.Daemon/GetInfo", "/nothing", "/"}) {
    EXPECT_EQ(client.CallByPath(path).status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << path;
  }
}

// Sessions do not see one another: a handle of one means nothing in another, and looks as if it did
// not exist.
TEST_F(RoleMatrixTest, HandlesOfAnotherSessionAreNotFound) {
  Client first = ConnectWithSession();
  Client second = ConnectWithSession();
  const Ready ready = GetReady(first);
  v1::DescribeSurfaceRequest describe;
  describe.set_surface_id(ready.y);
  v1::DescribeSurfaceResponse described;
  const grpc::Status foreign =
      second.Stub<v1::Surfaces>()->Describe(second.Context().get(), describe, &described);
  EXPECT_EQ(foreign.error_code(), grpc::StatusCode::NOT_FOUND);
  describe.set_surface_id(ready.y + 1'000'000);
  const grpc::Status guessed =
      second.Stub<v1::Surfaces>()->Describe(second.Context().get(), describe, &described);
  EXPECT_EQ(guessed.error_code(), grpc::StatusCode::NOT_FOUND);
  v1::EvaluateRequest evaluate;
  *evaluate.mutable_submission() = ready.Run(1);
  v1::EvaluateResponse evaluated;
  EXPECT_EQ(second.Stub<v1::Execution>()
                ->Evaluate(second.Context().get(), evaluate, &evaluated)
                .error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(RoleMatrixTest, RuntimeFolderIsNotForObservers) {
  v1::GetInfoResponse response;
  const Client owner = Connect();
  ASSERT_TRUE(owner.Stub<v1::Daemon>()
                  ->GetInfo(owner.Context().get(), v1::GetInfoRequest(), &response)
                  .ok());
  EXPECT_EQ(response.info().runtime_dir(), "/run/anexd");
  const Client observer = Connect(door::ListenerRole::kObserver);
  ASSERT_TRUE(observer.Stub<v1::Daemon>()
                  ->GetInfo(observer.Context().get(), v1::GetInfoRequest(), &response)
                  .ok());
  EXPECT_EQ(response.info().runtime_dir(), "");
}

}  // namespace
}  // namespace anex::rpc
