// From what is wanted and what is there to what is to be done. Pure: both managers' plans can be
// made, shown and tested anywhere. Doing what a plan says, and looking again, gives a plan without
// steps.
#ifndef ANEX_CLIENT_CLI_SERVICE_PLAN_H_
#define ANEX_CLIENT_CLI_SERVICE_PLAN_H_

#include "absl/status/statusor.h"
#include "client/cli/service/found.h"
#include "client/cli/service/layout.h"
#include "client/cli/service/service_wish.h"
#include "client/cli/service/step.h"

namespace anex::cli {

// FAILED_PRECONDITION, saying what to do, if the manager does not answer and is needed, if the
// service is not installed and should be controlled, or if a daemon that the manager did not start
// has the socket. NOT_FOUND if there are no logs. `layout` is that of `wish`.
absl::StatusOr<Plan> MakePlan(const ServiceWish& wish, const Layout& layout, const Found& found);

// The two halves of it, and what they share.
absl::StatusOr<Plan> MakeLaunchdPlan(const ServiceWish& wish, const Layout& layout,
                                     const Found& found);
absl::StatusOr<Plan> MakeSystemdPlan(const ServiceWish& wish, const Layout& layout,
                                     const Found& found);

// Folders and files as the layout wants them; true if a file changed.
bool PlanFiles(const Layout& layout, const Found& found, Plan& plan);
// Whether any file of the layout is there.
bool AnyFile(const Layout& layout, const Found& found);
absl::Status NotInstalled();
// OK unless a daemon that the manager knows nothing of has the sockets.
absl::Status RefuseForeign(const Layout& layout, const Found& found);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_SERVICE_PLAN_H_
