#import "server/device/apple/client_calls.h"

#import "server/device/apple/guard.h"

namespace anex::device::apple {

std::string_view EvaluateWayName(EvaluateWay way) {
  switch (way) {
    case EvaluateWay::kModel:
      return "model";
    case EvaluateWay::kDirect:
      return "direct";
    case EvaluateWay::kRealTime:
      return "real-time";
    case EvaluateWay::kProcess:
      return "process";
  }
  return "unknown";
}

std::string_view LoadWayName(LoadWay way) {
  return way == LoadWay::kInMemory ? "in-memory" : "client";
}

bool HasClientWay(const Framework& framework, EvaluateWay way) {
  switch (way) {
    case EvaluateWay::kModel:
      return framework.Has("_ANEClient", "evaluateWithModel:options:request:qos:error:");
    case EvaluateWay::kDirect:
      return framework.Has("_ANEClient", "doEvaluateDirectWithModel:options:request:qos:error:");
    case EvaluateWay::kRealTime:
      return framework.Has("_ANEClient", "evaluateRealTimeWithModel:options:request:error:");
    case EvaluateWay::kProcess:
      return false;
  }
  return false;
}

absl::Status EvaluateByClient(const ClientModel& known, EvaluateWay way, id<ANERequest> request) {
  NSError* error = nil;
  BOOL done = NO;
  switch (way) {
    case EvaluateWay::kModel:
      done = [known.client evaluateWithModel:known.model
                                     options:known.options
                                     request:request
                                         qos:kQos
                                       error:&error];
      break;
    case EvaluateWay::kDirect:
      done = [known.client doEvaluateDirectWithModel:known.model
                                             options:known.options
                                             request:request
                                                 qos:kQos
                                               error:&error];
      break;
    case EvaluateWay::kRealTime:
      done = [known.client evaluateRealTimeWithModel:known.model
                                             options:known.options
                                             request:request
                                               error:&error];
      break;
    case EvaluateWay::kProcess:
      break;
  }
  return done ? absl::OkStatus() : StatusOf("evaluate", error);
}

}  // namespace anex::device::apple
