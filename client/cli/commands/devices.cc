#include "client/cli/commands/lists.h"
#include "client/cli/output/views.h"

namespace anex::cli {

void AddDevicesCommand(CLI::App& root, Chosen& chosen) {
  AddCommand(root, "devices", "The devices: what they are, how they do, what they can",
             "anectl devices --json | jq '.devices[].name'", chosen, [](Context& context) {
               return ShowList(
                   context, "devices", [](Transport& transport) { return transport.ListDevices(); },
                   RenderDevices);
             });
}

}  // namespace anex::cli
