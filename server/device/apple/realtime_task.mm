#import "server/device/apple/realtime_task.h"

#import "server/device/apple/guard.h"

namespace anex::device::apple {

absl::StatusOr<std::unique_ptr<RealTimeTask>> RealTimeTask::Begin(const Framework& framework) {
  if (!framework.Has("_ANEClient", "beginRealTimeTask") ||
      !framework.Has("_ANEClient", "endRealTimeTask")) {
    return absl::UnimplementedError("the framework does not have it");
  }
  using Begun = absl::StatusOr<std::unique_ptr<RealTimeTask>>;
  return Guard("begin a real-time task", [&]() -> Begun {
    id<ANEClient> client = [framework.classes().client sharedConnection];
    if (client == nil) return absl::UnavailableError("the framework gave no connection to aned");
    if (![client beginRealTimeTask]) {
      return absl::PermissionDeniedError(
          "the system says NO, as it does without Apple's entitlement");
    }
    return std::unique_ptr<RealTimeTask>(new RealTimeTask(client));
  });
}

RealTimeTask::~RealTimeTask() {
  Guard("end the real-time task", [&] {
    [client_.get() endRealTimeTask];
    return absl::OkStatus();
  }).IgnoreError();
}

}  // namespace anex::device::apple
