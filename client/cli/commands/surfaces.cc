#include "client/cli/commands/lists.h"
#include "client/cli/output/views.h"

namespace anex::cli {

void AddSurfacesCommand(CLI::App& root, Chosen& chosen) {
  AddCommand(root, "surfaces", "Every surface on the daemon, without contents", "anectl surfaces",
             chosen, [](Context& context) {
               return ShowList(
                   context, "surfaces",
                   [](Transport& transport) { return transport.ListSurfaces(); }, RenderSurfaces);
             });
}

}  // namespace anex::cli
