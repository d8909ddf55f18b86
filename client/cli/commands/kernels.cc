#include "client/cli/commands/lists.h"
#include "client/cli/output/views.h"

namespace anex::cli {

void AddKernelsCommand(CLI::App& root, Chosen& chosen) {
  AddCommand(
      root, "kernels", "Loaded kernels, their users and run times", "anectl kernels", chosen,
      [](Context& context) {
        const auto fetch = [](Transport& transport) -> absl::StatusOr<std::vector<KernelStatus>> {
          absl::StatusOr<DaemonStatus> status = transport.GetStatus();
          if (!status.ok()) return status.status();
          return std::move(status->kernels);
        };
        return ShowList(context, "kernels", fetch, RenderKernels);
      });
}

}  // namespace anex::cli
