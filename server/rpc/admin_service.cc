#include "server/rpc/admin_service.h"

#include <map>
#include <string>
#include <vector>

#include "proto/convert/status_convert.h"

namespace anex::rpc {

grpc::Status AdminService::GetLimits(grpc::ServerContext* context, const v1::GetLimitsRequest*,
                                     v1::GetLimitsResponse* response) {
  return Call(*context, "/anex.v1.Admin/GetLimits", [&](const engine::Caller& caller) {
    for (const LimitInfo& limit : engine().GetLimits(caller)) {
      convert::ToProto(limit, response->add_limits());
    }
    return absl::OkStatus();
  });
}

grpc::Status AdminService::SetLimits(grpc::ServerContext* context,
                                     const v1::SetLimitsRequest* request,
                                     v1::SetLimitsResponse* response) {
  return Call(*context, "/anex.v1.Admin/SetLimits",
              [&](const engine::Caller& caller) -> absl::Status {
                const std::map<std::string, uint64_t> values(request->values().begin(),
                                                             request->values().end());
                ANEX_ASSIGN_OR_RETURN(const std::vector<LimitInfo> limits,
                                      engine().SetLimits(caller, values));
                for (const LimitInfo& limit : limits) {
                  convert::ToProto(limit, response->add_limits());
                }
                return absl::OkStatus();
              });
}

grpc::Status AdminService::Drain(grpc::ServerContext* context, const v1::DrainRequest* request,
                                 v1::DrainResponse* response) {
  return Call(*context, "/anex.v1.Admin/Drain", [&](const engine::Caller& caller) -> absl::Status {
    if (request->deadline_ns() < 0) return absl::InvalidArgumentError("deadline_ns is negative");
    ANEX_ASSIGN_OR_RETURN(const uint32_t cancelled, engine().Drain(caller, request->deadline_ns()));
    response->set_cancelled(cancelled);
    return absl::OkStatus();
  });
}

grpc::Status AdminService::EvictSession(grpc::ServerContext* context,
                                        const v1::EvictSessionRequest* request,
                                        v1::EvictSessionResponse*) {
  return Call(*context, "/anex.v1.Admin/EvictSession", [&](const engine::Caller& caller) {
    const SessionId session(request->session_id());
    const absl::Status evicted = engine().Evict(caller, session);
    if (evicted.ok() && parts().on_session_ended) parts().on_session_ended(session, "evicted");
    return evicted;
  });
}

grpc::Status AdminService::CacheList(grpc::ServerContext* context,
                                     const v1::CacheListRequest* request,
                                     v1::CacheListResponse* response) {
  return Call(*context, "/anex.v1.Admin/CacheList",
              [&](const engine::Caller& caller) -> absl::Status {
                ANEX_ASSIGN_OR_RETURN(const std::vector<CacheEntryInfo> entries,
                                      engine().CacheList(caller, request->verify()));
                for (const CacheEntryInfo& entry : entries)
                  convert::ToProto(entry, response->add_entries());
                return absl::OkStatus();
              });
}

grpc::Status AdminService::CachePurge(grpc::ServerContext* context,
                                      const v1::CachePurgeRequest* request,
                                      v1::CachePurgeResponse* response) {
  return Call(*context, "/anex.v1.Admin/CachePurge",
              [&](const engine::Caller& caller) -> absl::Status {
                const std::vector<std::string> digests(request->digests().begin(),
                                                       request->digests().end());
                ANEX_ASSIGN_OR_RETURN(const uint64_t freed, engine().CachePurge(caller, digests));
                response->set_bytes_freed(freed);
                return absl::OkStatus();
              });
}

// Named in the contract, not built yet: Admit refuses these by name.
grpc::Status AdminService::SetLogLevel(grpc::ServerContext* context, const v1::SetLogLevelRequest*,
                                       v1::SetLogLevelResponse*) {
  return Call(*context, "/anex.v1.Admin/SetLogLevel",
              [](const engine::Caller&) { return absl::OkStatus(); });
}

grpc::Status AdminService::Probe(grpc::ServerContext* context, const v1::ProbeRequest* request,
                                 v1::ProbeResponse* response) {
  return Call(*context, "/anex.v1.Admin/Probe", [&](const engine::Caller& caller) -> absl::Status {
    ANEX_ASSIGN_OR_RETURN(const ProbeReport report,
                          engine().Probe(caller, request->device(), request->thorough()));
    convert::ToProto(report, response);
    return absl::OkStatus();
  });
}

}  // namespace anex::rpc
