#include "server/rpc/library_logs.h"

#include <google/protobuf/message.h>

#include <cstdlib>

// Since 2023 there is one log for all three, Abseil's.
#if __has_include("absl/log/globals.h")
#include "absl/base/log_severity.h"
#include "absl/log/globals.h"
#endif

namespace anex::rpc {

void QuietLibraries() {
#if __has_include("absl/log/globals.h")
  if (std::getenv("GRPC_VERBOSITY") != nullptr) return;
  absl::SetMinLogLevel(absl::LogSeverityAtLeast::kFatal);
#else
  google::protobuf::SetLogHandler(nullptr);
#endif
}

}  // namespace anex::rpc
