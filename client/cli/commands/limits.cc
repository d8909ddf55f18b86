#include "client/cli/commands/lists.h"
#include "client/cli/output/views.h"

namespace anex::cli {

void AddLimitsCommand(CLI::App& root, Chosen& chosen) {
  AddCommand(root, "limits", "Every bound of the daemon, by name",
             "anectl limits --json | jq '.limits[] | select(.name==\"lane_depth\")'", chosen,
             [](Context& context) {
               return ShowList(
                   context, "limits", [](Transport& transport) { return transport.GetLimits(); },
                   RenderLimits);
             });
}

}  // namespace anex::cli
