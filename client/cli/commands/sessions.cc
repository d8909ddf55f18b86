#include "client/cli/commands/lists.h"
#include "client/cli/output/views.h"

namespace anex::cli {

void AddSessionsCommand(CLI::App& root, Chosen& chosen) {
  AddCommand(root, "sessions", "Who is connected, and how much of the device each one has",
             "anectl sessions", chosen, [](Context& context) {
               return ShowList(
                   context, "sessions",
                   [](Transport& transport) { return transport.ListSessions(); }, RenderSessions);
             });
}

}  // namespace anex::cli
