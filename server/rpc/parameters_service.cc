#include "server/rpc/parameters_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/convert/parameter_convert.h"

namespace anex::rpc {

grpc::Status ParametersService::CreateSet(grpc::ServerContext* context,
                                          const v1::CreateParameterSetRequest* request,
                                          v1::CreateParameterSetResponse* response) {
  return Create(
      *context, "/anex.v1.Parameters/CreateSet", *request, *response,
      [&](const engine::Caller& caller, v1::CreateParameterSetResponse& made) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(const ParameterSetSpec spec, convert::FromProto(*request));
        ANEX_ASSIGN_OR_RETURN(const ParameterSetInfo info,
                              engine().CreateParameterSet(caller, spec));
        convert::ToProto(info, made.mutable_parameter_set());
        return absl::OkStatus();
      });
}

grpc::Status ParametersService::BeginWrite(grpc::ServerContext* context,
                                           const v1::BeginWriteRequest* request,
                                           v1::BeginWriteResponse* response) {
  return Call(*context, "/anex.v1.Parameters/BeginWrite",
              [&](const engine::Caller& caller) -> absl::Status {
                ANEX_ASSIGN_OR_RETURN(
                    const WriteLease lease,
                    engine().BeginWrite(caller, ParameterSetId(request->parameter_set_id()),
                                        request->duration_ns()));
                convert::ToProto(lease, response->mutable_lease());
                return absl::OkStatus();
              });
}

// Each chunk is stored as it comes; the first bad one ends the stream, and Publish is refused then.
grpc::Status ParametersService::Update(grpc::ServerContext* context,
                                       grpc::ServerReader<v1::UpdateRequest>* reader,
                                       v1::UpdateResponse* response) {
  return Call(
      *context, "/anex.v1.Parameters/Update", [&](const engine::Caller& caller) -> absl::Status {
        v1::UpdateRequest request;
        LeaseId lease;
        while (reader->Read(&request)) {
          if (lease && request.lease_id() != lease.value()) {
            return absl::InvalidArgumentError("every message of an update names the same lease");
          }
          lease = LeaseId(request.lease_id());
          ANEX_ASSIGN_OR_RETURN(const WeightChunk chunk,
                                convert::FromProto(std::move(*request.mutable_chunk())));
          engine().CountTensorBytes(chunk.data.size());
          if (absl::Status stored = engine().Update(caller, lease, chunk); !stored.ok())
            return stored;
          response->set_chunks(response->chunks() + 1);
          response->set_bytes(response->bytes() + chunk.data.size());
          request.Clear();
        }
        if (!lease) {
          return absl::InvalidArgumentError(
              "an update without a chunk, or with bytes that are no message");
        }
        return absl::OkStatus();
      });
}

grpc::Status ParametersService::Publish(grpc::ServerContext* context,
                                        const v1::PublishRequest* request,
                                        v1::PublishResponse* response) {
  return Call(
      *context, "/anex.v1.Parameters/Publish", [&](const engine::Caller& caller) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(
            const uint64_t generation,
            engine().Publish(caller, LeaseId(request->lease_id()), request->expected_generation()));
        response->set_generation(generation);
        return absl::OkStatus();
      });
}

grpc::Status ParametersService::Abort(grpc::ServerContext* context,
                                      const v1::AbortWriteRequest* request,
                                      v1::AbortWriteResponse*) {
  return Call(*context, "/anex.v1.Parameters/Abort", [&](const engine::Caller& caller) {
    return engine().Abort(caller, LeaseId(request->lease_id()));
  });
}

grpc::Status ParametersService::Describe(grpc::ServerContext* context,
                                         const v1::DescribeParameterSetRequest* request,
                                         v1::DescribeParameterSetResponse* response) {
  return Call(
      *context, "/anex.v1.Parameters/Describe", [&](const engine::Caller& caller) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(
            const ParameterSetInfo info,
            engine().DescribeParameterSet(caller, ParameterSetId(request->parameter_set_id())));
        convert::ToProto(info, response->mutable_parameter_set());
        return absl::OkStatus();
      });
}

grpc::Status ParametersService::Release(grpc::ServerContext* context,
                                        const v1::ReleaseParameterSetRequest* request,
                                        v1::ReleaseParameterSetResponse*) {
  return Call(*context, "/anex.v1.Parameters/Release", [&](const engine::Caller& caller) {
    return engine().ReleaseParameterSet(caller, ParameterSetId(request->parameter_set_id()));
  });
}

}  // namespace anex::rpc
