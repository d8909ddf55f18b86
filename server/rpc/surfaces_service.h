// anex.v1.Surfaces: memory by handle, its sharing, and inline bytes for remote and simple clients.
// See service_base.h for how every method works.
#ifndef ANEX_SERVER_RPC_SURFACES_SERVICE_H_
#define ANEX_SERVER_RPC_SURFACES_SERVICE_H_

#include "anex/v1/surfaces.grpc.pb.h"
#include "server/rpc/service_base.h"

namespace anex::rpc {

class SurfacesService final : public v1::Surfaces::Service, private ServiceBase {
 public:
  explicit SurfacesService(const ServiceParts& parts) : ServiceBase(parts) {}

  grpc::Status Create(grpc::ServerContext* context, const v1::CreateSurfaceRequest* request,
                      v1::CreateSurfaceResponse* response) override;
  grpc::Status PrepareHandover(grpc::ServerContext* context,
                               const v1::PrepareHandoverRequest* request,
                               v1::PrepareHandoverResponse* response) override;
  grpc::Status Import(grpc::ServerContext* context, const v1::ImportSurfaceRequest* request,
                      v1::ImportSurfaceResponse* response) override;
  grpc::Status Grant(grpc::ServerContext* context, const v1::GrantSurfaceRequest* request,
                     v1::GrantSurfaceResponse* response) override;
  grpc::Status ClaimGrant(grpc::ServerContext* context, const v1::ClaimGrantRequest* request,
                          v1::ClaimGrantResponse* response) override;
  grpc::Status Read(grpc::ServerContext* context, const v1::ReadSurfaceRequest* request,
                    grpc::ServerWriter<v1::ReadSurfaceResponse>* writer) override;
  grpc::Status Write(grpc::ServerContext* context,
                     grpc::ServerReader<v1::WriteSurfaceRequest>* reader,
                     v1::WriteSurfaceResponse* response) override;
  grpc::Status Describe(grpc::ServerContext* context, const v1::DescribeSurfaceRequest* request,
                        v1::DescribeSurfaceResponse* response) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListSurfacesRequest* request,
                    v1::ListSurfacesResponse* response) override;
  grpc::Status Release(grpc::ServerContext* context, const v1::ReleaseSurfaceRequest* request,
                       v1::ReleaseSurfaceResponse* response) override;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_SURFACES_SERVICE_H_
