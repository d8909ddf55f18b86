// Calls to _ANEClient with a model that both ways of loading share. Header for model_*.mm only.
#ifndef ANEX_SERVER_DEVICE_APPLE_CLIENT_CALLS_H_
#define ANEX_SERVER_DEVICE_APPLE_CLIENT_CALLS_H_

#include "absl/status/status.h"
#import "server/device/apple/framework.h"
#include "server/device/apple/model.h"

namespace anex::device::apple {

// A model that the client knows, with the options that it was loaded with.
struct ClientModel {
  id<ANEClient> client;
  id<ANEModel> model;
  NSDictionary* options;
};

bool HasClientWay(const Framework& framework, EvaluateWay way);
// REQUIRES: HasClientWay, and `way` is not kProcess.
absl::Status EvaluateByClient(const ClientModel& known, EvaluateWay way, id<ANERequest> request);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_CLIENT_CALLS_H_
