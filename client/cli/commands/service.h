// The daemon as a service of this user: install, uninstall, start, stop, restart, logs.
#ifndef ANEX_CLIENT_CLI_COMMANDS_SERVICE_H_
#define ANEX_CLIENT_CLI_COMMANDS_SERVICE_H_

#include "client/cli/command.h"

namespace anex::cli {

void AddServiceCommands(CLI::App& root, Chosen& chosen);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_COMMANDS_SERVICE_H_
