// anex.v1.Kernels: programs in, loaded kernels out.
// See service_base.h for how every method works.
#ifndef ANEX_SERVER_RPC_KERNELS_SERVICE_H_
#define ANEX_SERVER_RPC_KERNELS_SERVICE_H_

#include "anex/v1/kernels.grpc.pb.h"
#include "server/rpc/service_base.h"

namespace anex::rpc {

class KernelsService final : public v1::Kernels::Service, private ServiceBase {
 public:
  explicit KernelsService(const ServiceParts& parts) : ServiceBase(parts) {}

  grpc::Status Compile(grpc::ServerContext* context, grpc::ServerReader<v1::ProgramPart>* reader,
                       v1::CompileResponse* response) override;
  grpc::Status CompileByDigest(grpc::ServerContext* context,
                               const v1::CompileByDigestRequest* request,
                               v1::CompileResponse* response) override;
  grpc::Status Check(grpc::ServerContext* context, grpc::ServerReader<v1::ProgramPart>* reader,
                     v1::CheckResponse* response) override;
  grpc::Status Describe(grpc::ServerContext* context, const v1::DescribeKernelRequest* request,
                        v1::DescribeKernelResponse* response) override;
  grpc::Status Release(grpc::ServerContext* context, const v1::ReleaseKernelRequest* request,
                       v1::ReleaseKernelResponse* response) override;
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_KERNELS_SERVICE_H_
