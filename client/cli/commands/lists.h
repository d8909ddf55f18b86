// Commands that fetch one list and show it are all alike; this is the likeness.
#ifndef ANEX_CLIENT_CLI_COMMANDS_LISTS_H_
#define ANEX_CLIENT_CLI_COMMANDS_LISTS_H_

#include <string>

#include "client/cli/command.h"

namespace anex::cli {

// Fetches with `fetch(transport)`, prints {"key": [...]} or `render(values, style)`.
template <typename Fetch, typename Render>
absl::StatusOr<int> ShowList(Context& context, const std::string& key, Fetch&& fetch,
                             Render&& render) {
  const absl::StatusOr<std::shared_ptr<Transport>> transport = context.Connect();
  if (!transport.ok()) return transport.status();
  const auto values = fetch(**transport);
  if (!values.ok()) return values.status();
  context.Print(Json{{key, ToJsonList(*values)}}, render(*values, context.style));
  return kExitOk;
}

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_COMMANDS_LISTS_H_
