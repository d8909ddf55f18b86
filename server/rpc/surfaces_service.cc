#include "server/rpc/surfaces_service.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "proto/convert/surface_convert.h"
#include "proto/convert/tensor_convert.h"
#include "server/rpc/surface_page.h"
#include "server/rpc/surface_stream.h"

namespace anex::rpc {

grpc::Status SurfacesService::Create(grpc::ServerContext* context,
                                     const v1::CreateSurfaceRequest* request,
                                     v1::CreateSurfaceResponse* response) {
  return ServiceBase::Create(
      *context, "/anex.v1.Surfaces/Create", *request, *response,
      [&](const engine::Caller& caller, v1::CreateSurfaceResponse& made) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(const SurfaceSpec spec, convert::FromProto(*request));
        ANEX_ASSIGN_OR_RETURN(const SurfaceInfo info, engine().CreateSurface(caller, spec));
        convert::ToProto(info, made.mutable_surface());
        return absl::OkStatus();
      });
}

grpc::Status SurfacesService::PrepareHandover(grpc::ServerContext* context,
                                              const v1::PrepareHandoverRequest* request,
                                              v1::PrepareHandoverResponse* response) {
  return Call(*context, "/anex.v1.Surfaces/PrepareHandover",
              [&](const engine::Caller& caller) -> absl::Status {
                ANEX_ASSIGN_OR_RETURN(const Access access, convert::FromProto(request->access()));
                ANEX_ASSIGN_OR_RETURN(
                    std::string token,
                    engine().PrepareHandover(caller, SurfaceId(request->surface_id()), access));
                response->set_token(std::move(token));
                return absl::OkStatus();
              });
}

grpc::Status SurfacesService::Import(grpc::ServerContext* context,
                                     const v1::ImportSurfaceRequest* request,
                                     v1::ImportSurfaceResponse* response) {
  return ServiceBase::Create(
      *context, "/anex.v1.Surfaces/Import", *request, *response,
      [&](const engine::Caller& caller, v1::ImportSurfaceResponse& made) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(const TensorLayout layout, convert::FromProto(request->layout()));
        const uint32_t number = request->global_iosurface_id();
        if (number != 0 && !request->token().empty()) {
          return absl::InvalidArgumentError("token or global_iosurface_id, not both");
        }
        ANEX_ASSIGN_OR_RETURN(
            const SurfaceInfo info,
            number != 0
                ? engine().ImportGlobalIosurface(caller, number, layout, request->label())
                : engine().ImportSurface(caller, request->token(), layout, request->label()));
        convert::ToProto(info, made.mutable_surface());
        return absl::OkStatus();
      });
}

grpc::Status SurfacesService::Grant(grpc::ServerContext* context,
                                    const v1::GrantSurfaceRequest* request,
                                    v1::GrantSurfaceResponse* response) {
  return Call(*context, "/anex.v1.Surfaces/Grant",
              [&](const engine::Caller& caller) -> absl::Status {
                ANEX_ASSIGN_OR_RETURN(const Access access, convert::FromProto(request->access()));
                ANEX_ASSIGN_OR_RETURN(
                    const engine::GrantTicket ticket,
                    engine().GrantSurface(caller, SurfaceId(request->surface_id()), access));
                response->set_ticket(ticket.ticket);
                return absl::OkStatus();
              });
}

grpc::Status SurfacesService::ClaimGrant(grpc::ServerContext* context,
                                         const v1::ClaimGrantRequest* request,
                                         v1::ClaimGrantResponse* response) {
  return ServiceBase::Create(
      *context, "/anex.v1.Surfaces/ClaimGrant", *request, *response,
      [&](const engine::Caller& caller, v1::ClaimGrantResponse& made) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(const SurfaceInfo info,
                              engine().ClaimGrant(caller, request->ticket()));
        convert::ToProto(info, made.mutable_surface());
        return absl::OkStatus();
      });
}

grpc::Status SurfacesService::Read(grpc::ServerContext* context,
                                   const v1::ReadSurfaceRequest* request,
                                   grpc::ServerWriter<v1::ReadSurfaceResponse>* writer) {
  return Call(
      *context, "/anex.v1.Surfaces/Read", [&](const engine::Caller& caller) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(const Region region, convert::FromProto(request->region()));
        uint64_t sent = 0;
        const absl::Status status =
            SendSurface(engine(), caller, SurfaceId(request->surface_id()), region, *writer, sent);
        engine().CountTensorBytes(sent);
        return status;
      });
}

grpc::Status SurfacesService::Write(grpc::ServerContext* context,
                                    grpc::ServerReader<v1::WriteSurfaceRequest>* reader,
                                    v1::WriteSurfaceResponse* response) {
  return Call(
      *context, "/anex.v1.Surfaces/Write", [&](const engine::Caller& caller) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(const ReceivedSurface received,
                              ReceiveSurface(engine(), caller, *reader));
        engine().CountTensorBytes(received.bytes.size());
        const absl::Status written =
            engine().WriteSurface(caller, received.surface, received.region, received.bytes);
        if (written.ok()) response->set_bytes_written(received.bytes.size());
        return written;
      });
}

grpc::Status SurfacesService::Describe(grpc::ServerContext* context,
                                       const v1::DescribeSurfaceRequest* request,
                                       v1::DescribeSurfaceResponse* response) {
  return Call(
      *context, "/anex.v1.Surfaces/Describe", [&](const engine::Caller& caller) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(const SurfaceInfo info,
                              engine().DescribeSurface(caller, SurfaceId(request->surface_id())));
        convert::ToProto(info, response->mutable_surface());
        return absl::OkStatus();
      });
}

grpc::Status SurfacesService::List(grpc::ServerContext* context,
                                   const v1::ListSurfacesRequest* request,
                                   v1::ListSurfacesResponse* response) {
  return Call(
      *context, "/anex.v1.Surfaces/List", [&](const engine::Caller& caller) -> absl::Status {
        ANEX_ASSIGN_OR_RETURN(
            SurfacePage page,
            PageOf(engine().ListSurfaces(caller), request->page_token(), request->page_size()));
        for (const SurfaceStatus& surface : page.surfaces) {
          convert::ToProto(surface, response->add_surfaces());
        }
        response->set_next_page_token(std::move(page.next));
        return absl::OkStatus();
      });
}

grpc::Status SurfacesService::Release(grpc::ServerContext* context,
                                      const v1::ReleaseSurfaceRequest* request,
                                      v1::ReleaseSurfaceResponse*) {
  return Call(*context, "/anex.v1.Surfaces/Release", [&](const engine::Caller& caller) {
    return engine().ReleaseSurface(caller, SurfaceId(request->surface_id()));
  });
}

}  // namespace anex::rpc
