// Admin.Probe over the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/rpc/rpc_fixture.h"

namespace anex::rpc {
namespace {

using ::testing::HasSubstr;

class ProbeTest : public RpcTest {
 protected:
  static grpc::Status Probe(const Client& client, const std::string& device,
                            v1::ProbeResponse* response) {
    v1::ProbeRequest request;
    request.set_device(device);
    return client.Stub<v1::Admin>()->Probe(client.Context().get(), request, response);
  }
};

TEST_F(ProbeTest, TheReportArrivesWhole) {
  const Client owner = Connect();  // without a session
  v1::ProbeResponse report;
  const grpc::Status probed = Probe(owner, "", &report);
  ASSERT_TRUE(probed.ok()) << probed.error_message();
  EXPECT_EQ(report.device(), "cpu");
  EXPECT_FALSE(report.description().empty());
  bool has_numbers = false;
  for (const v1::ProbeResponse::Finding& finding : report.findings()) {
    EXPECT_FALSE(finding.claim().empty());
    EXPECT_FALSE(finding.question().empty()) << finding.claim();
    EXPECT_FALSE(finding.answer().empty()) << finding.claim();
    EXPECT_EQ(finding.evidence(), v1::ProbeResponse::EVIDENCE_EMULATED) << finding.claim();
    has_numbers |= finding.numbers().contains("median_us");
  }
  EXPECT_GT(report.findings_size(), 10);
  EXPECT_TRUE(has_numbers);
}

TEST_F(ProbeTest, AnUnknownDeviceIsNotFound) {
  v1::ProbeResponse report;
  const grpc::Status probed = Probe(Connect(), "gpu", &report);
  EXPECT_EQ(probed.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(probed.error_message(), HasSubstr("there is: cpu"));
}

TEST_F(ProbeTest, AClientThatLeavesStopsItsProbeAndOthersMayProbe) {
  const Client owner = Connect();
  faults_->HangCompiles();
  const auto context = owner.Context();
  grpc::Status status;
  std::thread thread([&] {
    v1::ProbeResponse report;
    status = owner.Stub<v1::Admin>()->Probe(context.get(), v1::ProbeRequest(), &report);
  });
  ASSERT_TRUE(faults_->WaitForCompileStarted());
  v1::ProbeResponse report;
  EXPECT_EQ(Probe(owner, "", &report).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  context->TryCancel();
  thread.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  faults_->ReleaseCompiles();
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  grpc::Status next = Probe(owner, "", &report);
  while (next.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED && absl::Now() < patience) {
    next = Probe(owner, "", &report);
  }
  EXPECT_TRUE(next.ok()) << next.error_message();
  ExpectServes();
}

}  // namespace
}  // namespace anex::rpc
