// The system's real-time task: what _ANEClient's beginRealTimeTask asks aned for. It is granted to
// who holds an entitlement of Apple's, and what is publicly known of it shows no effect on how work
// is scheduled; so it is asked for once, its answer is told, and what it does to a small program is
// timed (self_test.h). Whoever needs a period and a budget gets them from the daemon's scheduler.
//
// Threads: any; ends once.
#ifndef ANEX_SERVER_DEVICE_APPLE_REALTIME_TASK_H_
#define ANEX_SERVER_DEVICE_APPLE_REALTIME_TASK_H_

#include <memory>

#include "absl/status/statusor.h"
#import "server/device/apple/framework.h"
#import "server/device/apple/objc_ptr.h"

namespace anex::device::apple {

class RealTimeTask {
 public:
  // PERMISSION_DENIED if the system says NO, UNIMPLEMENTED if it has no such call, INTERNAL if it
  // raised.
  static absl::StatusOr<std::unique_ptr<RealTimeTask>> Begin(const Framework& framework);
  ~RealTimeTask();
  RealTimeTask(const RealTimeTask&) = delete;
  RealTimeTask& operator=(const RealTimeTask&) = delete;

 private:
  explicit RealTimeTask(id<ANEClient> client) : client_(ObjcPtr<id<ANEClient>>::Retain(client)) {}

  const ObjcPtr<id<ANEClient>> client_;
};

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_REALTIME_TASK_H_
