// Looks what is there of the service, changing nothing: reads files, asks the manager and codesign.
// Threads: one; waits for the programs that it asks.
#ifndef ANEX_CLIENT_CLI_SERVICE_LOOK_H_
#define ANEX_CLIENT_CLI_SERVICE_LOOK_H_

#include "absl/status/statusor.h"
#include "client/cli/service/found.h"
#include "client/cli/service/layout.h"
#include "client/cli/service/service_wish.h"

namespace anex::cli {

// FAILED_PRECONDITION for something else than a file or folder of the user's at a path of the
// layout, and, for an install, for a program that is no anexd that takes the flags of the service.
// A manager that does not answer is no failure: Found says it.
absl::StatusOr<Found> Look(const ServiceWish& wish, const Layout& layout);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_SERVICE_LOOK_H_
