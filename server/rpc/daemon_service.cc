#include "server/rpc/daemon_service.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "proto/convert/status_convert.h"

namespace anex::rpc {
namespace {

constexpr int64_t kShortestInterval = 50'000'000;       // 50 ms
constexpr int64_t kLongestInterval = 3600'000'000'000;  // 1 h
constexpr absl::Duration kCancelPoll = absl::Milliseconds(50);

// Sleeps for `interval`, in pieces so that a caller who left is noticed, or at most until the
// daemon drains: there is news then. False if he left.
bool SleepUnlessCancelled(const grpc::ServerContext& context, const engine::Engine& engine,
                          absl::Duration interval) {
  for (absl::Duration slept; slept < interval; slept += kCancelPoll) {
    if (context.IsCancelled()) return false;
    if (engine.health() == Health::kDraining) return true;
    absl::SleepFor(std::min(kCancelPoll, interval - slept));
  }
  return !context.IsCancelled();
}

}  // namespace

grpc::Status DaemonService::GetInfo(grpc::ServerContext* context, const v1::GetInfoRequest*,
                                    v1::GetInfoResponse* response) {
  return Call(*context, "/anex.v1.Daemon/GetInfo", [&](const engine::Caller& caller) {
    convert::ToProto(engine().GetInfo(caller), response->mutable_info());
    return absl::OkStatus();
  });
}

grpc::Status DaemonService::GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest*,
                                      v1::GetStatusResponse* response) {
  return Call(*context, "/anex.v1.Daemon/GetStatus", [&](const engine::Caller& caller) {
    convert::ToProto(engine().GetStatus(caller), response->mutable_status());
    return absl::OkStatus();
  });
}

grpc::Status DaemonService::WatchStatus(grpc::ServerContext* context,
                                        const v1::WatchStatusRequest* request,
                                        grpc::ServerWriter<v1::WatchStatusResponse>* writer) {
  return Call(*context, "/anex.v1.Daemon/WatchStatus",
              [&](const engine::Caller& caller) -> absl::Status {
                const int64_t interval =
                    request->interval_ns() == 0 ? 1'000'000'000 : request->interval_ns();
                if (interval < kShortestInterval || interval > kLongestInterval) {
                  return absl::OutOfRangeError(
                      absl::StrCat("an interval of ", interval, " ns; give 50 ms to 1 h"));
                }
                do {
                  v1::WatchStatusResponse response;
                  const DaemonStatus status = engine().GetStatus(caller);
                  convert::ToProto(status, response.mutable_status());
                  if (!writer->Write(response)) break;
                  if (status.health == Health::kDraining)
                    return absl::UnavailableError("the daemon is draining");
                } while (SleepUnlessCancelled(*context, engine(), absl::Nanoseconds(interval)));
                return absl::OkStatus();
              });
}

grpc::Status DaemonService::ListDevices(grpc::ServerContext* context, const v1::ListDevicesRequest*,
                                        v1::ListDevicesResponse* response) {
  return Call(*context, "/anex.v1.Daemon/ListDevices", [&](const engine::Caller& caller) {
    for (const DeviceInfo& device : engine().ListDevices(caller)) {
      convert::ToProto(device, response->add_devices());
    }
    return absl::OkStatus();
  });
}

}  // namespace anex::rpc
