// Streams that end in the middle, messages over the limit, bytes that are no message: refused with
// a reason, and the daemon serves the next request.
#include <gtest/gtest.h>
#include <zlib.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/rpc/rpc_fixture.h"

namespace anex::rpc {
namespace {

using BadStreams = RpcTest;
using Code = grpc::StatusCode;

TEST_F(BadStreams, AProgramThatStopsAnywhereIsNotCompiled) {
  Client client = ConnectWithSession();
  const auto parts = ProgramParts(ProgramText());
  for (size_t kept = 0; kept < parts.size(); ++kept) {
    v1::CompileResponse response;
    const std::vector<v1::ProgramPart> some(parts.begin(),
                                            parts.begin() + static_cast<std::ptrdiff_t>(kept));
    EXPECT_EQ(SendParts(client, some, &response).error_code(), Code::INVALID_ARGUMENT) << kept;
    EXPECT_EQ(SendParts(client, some, &response, /*half_close=*/false).error_code(),
              Code::CANCELLED)
        << kept;
  }
  EXPECT_EQ(engine_->GetStatus(Operator()).kernels.size(), 0u);
  ExpectServes();
}

TEST_F(BadStreams, ABadProgramComesBackWithItsPlaces) {
  Client client = ConnectWithSession();
  std::string text = ProgramText();
  text.replace(text.find("sub("), 4, "snub");
  v1::CompileResponse response;
  const grpc::Status status = SendParts(client, ProgramParts(text), &response);
  EXPECT_EQ(status.error_code(), Code::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("model.mil:4:"), std::string::npos)
      << status.error_message();
  EXPECT_NE(status.error_message().find('^'), std::string::npos);
  v1::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 1);
  v1::DiagnosticList findings;
  ASSERT_TRUE(details.details(0).UnpackTo(&findings));
  ASSERT_GE(findings.diagnostics_size(), 1);
  EXPECT_EQ(findings.diagnostics(0).line(), 4);
  EXPECT_GT(findings.diagnostics(0).column(), 1);
  EXPECT_NE(findings.diagnostics(0).source_line().find("snub"), std::string::npos);
  ExpectServes();
}

// A source line is quoted in the answer; bytes that are no UTF-8 must not make the answer
// unreadable.
TEST_F(BadStreams, AProgramThatIsNotTextStillGetsItsReason) {
  Client client = ConnectWithSession();
  for (const std::string& text :
       {std::string("program(1.3)\n{ \xFF\xFE func \xC3( }\n"), std::string(5000, '\xE9'),
        std::string("\0\0\0", 3), std::string(3000, '%') + "\n"}) {
    v1::CompileResponse response;
    const grpc::Status status = SendParts(client, ProgramParts(text), &response);
    EXPECT_EQ(status.error_code(), Code::INVALID_ARGUMENT) << status.error_message();

    const auto context = client.Context();
    v1::CheckResponse checked;
    const auto stub = client.Stub<v1::Kernels>();
    auto writer = stub->Check(context.get(), &checked);
    for (const auto& part : ProgramParts(text)) writer->Write(part);
    writer->WritesDone();
    const grpc::Status check = writer->Finish();
    EXPECT_TRUE(check.ok()) << check.error_message();
    EXPECT_GE(checked.diagnostics_size(), 1);
  }
  ExpectServes();
}

TEST_F(BadStreams, AMessageOverTheLimitIsRefusedByItsSize) {
  Client client = ConnectWithSession();
  auto parts = ProgramParts(std::string(9 << 20, ' '));
  parts[1].set_text(std::string(9 << 20, ' '));
  parts.erase(parts.begin() + 2);
  v1::CompileResponse response;
  EXPECT_EQ(SendParts(client, parts, &response).error_code(), Code::RESOURCE_EXHAUSTED);
  const std::string big(9 << 20, 'x');
  EXPECT_EQ(client.CallByPath("/anex.v1.Daemon/GetInfo", big).status.error_code(),
            Code::RESOURCE_EXHAUSTED);
  ExpectServes();
}

TEST_F(BadStreams, MetadataOverTheLimitDoesNotReachAHandler) {
  const Client client = ConnectWithSession();
  const auto context = client.Context();
  context->AddMetadata("x-padding", std::string(100'000, 'p'));
  v1::GetInfoResponse response;
  const grpc::Status status =
      client.Stub<v1::Daemon>()->GetInfo(context.get(), v1::GetInfoRequest(), &response);
  EXPECT_FALSE(status.ok());
  ExpectServes();
}

TEST_F(BadStreams, BytesThatAreNoMessageAreRefused) {
  const Client client = ConnectWithSession();
  for (const std::string& bytes :
       {std::string("\xFF\xFF\xFF\xFF", 4), std::string("\x0A\x7F\x01", 3)}) {
    for (const char* path : {"/anex.v1.Surfaces/Create", "/anex.v1.Chains/Define",
                             "/anex.v1.Kernels/Compile", "/anex.v1.Parameters/Update"}) {
      EXPECT_FALSE(client.CallByPath(path, bytes).status.ok()) << path;
    }
  }
  ExpectServes();
}

TEST_F(BadStreams, ATornWriteChangesNothing) {
  Client client = ConnectWithSession();
  const uint64_t surface = client.CreateSurface();
  ASSERT_TRUE(client.WriteSurface(surface, {1, 2, 3, 4, 5, 6}).ok());
  const auto stub = client.Stub<v1::Surfaces>();
  struct Case {
    const char* what;
    uint64_t announced;
    std::string data;
    Code code;
  };
  for (const Case& c :
       {Case{"too few bytes", 12, std::string(11, '\1'), Code::DATA_LOSS},
        Case{"too many bytes", 12, std::string(13, '\1'), Code::OUT_OF_RANGE},
        Case{"more than the surface", 14, std::string(14, '\1'), Code::OUT_OF_RANGE},
        Case{"everything there is", UINT64_MAX, "\1", Code::OUT_OF_RANGE}}) {
    const auto context = client.Context();
    v1::WriteSurfaceResponse response;
    auto writer = stub->Write(context.get(), &response);
    v1::WriteSurfaceRequest part;
    part.mutable_header()->set_surface_id(surface);
    part.mutable_header()->set_total_bytes(c.announced);
    writer->Write(part);
    part.set_data(c.data);
    writer->Write(part);
    writer->WritesDone();
    EXPECT_EQ(writer->Finish().error_code(), c.code) << c.what;
  }
  const auto context = client.Context();
  v1::WriteSurfaceResponse response;
  auto headless = stub->Write(context.get(), &response);
  v1::WriteSurfaceRequest part;
  part.set_data(std::string(12, '\1'));
  headless->Write(part);
  headless->WritesDone();
  EXPECT_EQ(headless->Finish().error_code(), Code::INVALID_ARGUMENT);
  EXPECT_EQ(client.ReadSurface(surface), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  ExpectServes();
}

// Parameter sets: one parameter "w" of 6 fp16 elements.
class BadUpdates : public RpcTest {
 protected:
  void SetUp() override {
    RpcTest::SetUp();
    client_ = std::make_unique<Client>(ConnectWithSession());
    stub_ = client_->Stub<v1::Parameters>();
    v1::CreateParameterSetRequest request;
    request.set_mode(v1::PARAMETER_MODE_DOUBLE);
    auto* parameter = request.add_parameters();
    parameter->set_name("w");
    parameter->set_dtype(v1::DTYPE_FP16);
    parameter->add_shape(2);
    parameter->add_shape(3);
    v1::CreateParameterSetResponse response;
    const grpc::Status status = stub_->CreateSet(client_->Context().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    set_ = response.parameter_set().parameter_set_id();
  }
  uint64_t Lease() {
    v1::BeginWriteRequest request;
    request.set_parameter_set_id(set_);
    v1::BeginWriteResponse response;
    const grpc::Status status = stub_->BeginWrite(client_->Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.lease().lease_id();
  }
  static v1::UpdateRequest Chunk(uint64_t lease, uint64_t offset, const std::string& data) {
    v1::UpdateRequest request;
    request.set_lease_id(lease);
    request.mutable_chunk()->set_parameter("w");
    request.mutable_chunk()->set_element_offset(offset);
    request.mutable_chunk()->set_dtype(v1::DTYPE_FP16);
    request.mutable_chunk()->set_crc32(static_cast<uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size()))));
    request.mutable_chunk()->set_data(data);
    return request;
  }
  grpc::Status Send(const std::vector<v1::UpdateRequest>& chunks, v1::UpdateResponse* response) {
    const auto context = client_->Context();
    auto writer = stub_->Update(context.get(), response);
    for (const auto& chunk : chunks) {
      if (!writer->Write(chunk)) break;
    }
    writer->WritesDone();
    return writer->Finish();
  }
  grpc::Status Publish(uint64_t lease) {
    v1::PublishRequest request;
    request.set_lease_id(lease);
    v1::PublishResponse response;
    return stub_->Publish(client_->Context().get(), request, &response);
  }
  grpc::Status Abort(uint64_t lease) {
    v1::AbortWriteRequest request;
    request.set_lease_id(lease);
    v1::AbortWriteResponse response;
    return stub_->Abort(client_->Context().get(), request, &response);
  }

  std::unique_ptr<Client> client_;
  std::unique_ptr<v1::Parameters::Stub> stub_;
  uint64_t set_ = 0;
};

TEST_F(BadUpdates, WholeUpdatesPublish) {
  const uint64_t lease = Lease();
  v1::UpdateResponse response;
  const grpc::Status status = Send(
      {Chunk(lease, 0, std::string(4, '\1')), Chunk(lease, 2, std::string(8, '\2'))}, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.chunks(), 2u);
  EXPECT_EQ(response.bytes(), 12u);
  EXPECT_TRUE(Publish(lease).ok());
  EXPECT_EQ(engine_->GetStatus(Operator()).grpc_tensor_bytes, 12u);
}

TEST_F(BadUpdates, TornOnesAreNeverPublished) {
  const auto spoiled = [](v1::UpdateRequest chunk) {
    chunk.mutable_chunk()->set_crc32(chunk.chunk().crc32() ^ 1);
    return chunk;
  };
  const auto other_lease = [](v1::UpdateRequest chunk) {
    chunk.set_lease_id(chunk.lease_id() + 1);
    return chunk;
  };
  const std::string four(4, '\1'), eight(8, '\2');
  struct Case {
    const char* what;
    std::function<std::vector<v1::UpdateRequest>(uint64_t)> chunks;
    Code code;  // of the update
  };
  for (const Case& c : std::vector<Case>{
           {"stops in the middle", [&](uint64_t l) { return std::vector{Chunk(l, 0, four)}; },
            Code::OK},
           {"a gap",
            [&](uint64_t l) {
              return std::vector{Chunk(l, 0, four), Chunk(l, 3, four)};
            },
            Code::OUT_OF_RANGE},
           {"out of order",
            [&](uint64_t l) {
              return std::vector{Chunk(l, 2, eight), Chunk(l, 0, four)};
            },
            Code::OUT_OF_RANGE},
           {"an overrun",
            [&](uint64_t l) {
              return std::vector{Chunk(l, 0, eight), Chunk(l, 4, eight)};
            },
            Code::OUT_OF_RANGE},
           {"an offset that wraps",
            [&](uint64_t l) { return std::vector{Chunk(l, UINT64_MAX, four)}; },
            Code::OUT_OF_RANGE},
           {"a wrong checksum", [&](uint64_t l) { return std::vector{spoiled(Chunk(l, 0, four))}; },
            Code::DATA_LOSS},
           {"two leases",
            [&](uint64_t l) {
              return std::vector{Chunk(l, 0, four), other_lease(Chunk(l, 2, eight))};
            },
            Code::INVALID_ARGUMENT},
       }) {
    const uint64_t lease = Lease();
    v1::UpdateResponse response;
    const grpc::Status status = Send(c.chunks(lease), &response);
    EXPECT_EQ(status.error_code(), c.code) << c.what << ": " << status.error_message();
    EXPECT_EQ(Publish(lease).error_code(), Code::FAILED_PRECONDITION) << c.what;
    EXPECT_TRUE(Abort(lease).ok()) << c.what;
  }
  ExpectServes();
}

TEST_F(BadUpdates, ACancelledOneLeavesTheSetToTheNext) {
  const uint64_t lease = Lease();
  const auto context = client_->Context();
  v1::UpdateResponse response;
  auto writer = stub_->Update(context.get(), &response);
  writer->Write(Chunk(lease, 0, std::string(4, '\1')));
  context->TryCancel();
  EXPECT_EQ(writer->Finish().error_code(), Code::CANCELLED);
  EXPECT_TRUE(Abort(lease).ok());
  const uint64_t next = Lease();
  ASSERT_TRUE(Send({Chunk(next, 0, std::string(12, '\3'))}, &response).ok());
  EXPECT_TRUE(Publish(next).ok());
}

}  // namespace
}  // namespace anex::rpc
