// What every command of anectl is made of. One command per file in commands/: it adds its
// subcommand and options to the parser, and hands back a function that does the work.
//
// Threads: one. Commands write to Context::out and err only, fetch through the SDK, and leave
// printing to output/. Tests run them with a transport and streams of their own.
#ifndef ANEX_CLIENT_CLI_COMMAND_H_
#define ANEX_CLIENT_CLI_COMMAND_H_

#include <functional>
#include <istream>
#include <memory>
#include <ostream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/anex/session.h"
#include "client/cli/exit_code.h"
#include "client/cli/output/json.h"
#include "client/cli/output/style.h"
#include "client/transport/transport.h"

namespace anex::cli {

// Options before or after any command.
struct Globals {
  std::string socket;  // "" = the default
  bool json = false;
  bool no_color = false;
  double timeout_s = 60;
};

// Gives a transport without a session, as often as it is asked.
using TransportSource = std::function<absl::StatusOr<std::shared_ptr<Transport>>()>;

struct Context {
  std::ostream& out;
  std::function<int()> write_error = nullptr;  // errno of what failed on `out`; null = not known
  std::ostream& err;
  std::istream* in = nullptr;  // null = standard input
  Style style{false};          // of `out`
  Style err_style{false};      // of `err`
  bool terminal = false;       // `out` is one
  int columns = 80;            // of that terminal
  bool err_terminal = false;   // `err` is one
  std::string program;         // as this one was called
  Globals globals;
  // How to reach a daemon, and an engine in this process.
  std::function<absl::StatusOr<std::shared_ptr<Transport>>(const Globals&)> connect;
  std::function<absl::StatusOr<std::shared_ptr<Transport>>()> in_process;
  // Starts an engine in this process for several sessions; null in a build that has none.
  std::function<absl::StatusOr<TransportSource>()> share_in_process = nullptr;

  absl::StatusOr<std::shared_ptr<Transport>> Connect() const { return connect(globals); }
  absl::StatusOr<Session> OpenSession(bool use_in_process = false) const;
  // Prints `json` with --json, else `text`.
  void Print(const Json& json, const std::string& text) const {
    out << (globals.json ? Dump(json) : text);
  }
  // Says on `err` what went wrong.
  void PrintProblem(const absl::Status& status) const;
};

// Does the work; the exit code, or a status that becomes one.
using Action = std::function<absl::StatusOr<int>(Context&)>;
// Where a chosen command leaves its work.
using Chosen = Action;

// Adds a subcommand whose help ends with `example` and which chooses `action` when named.
CLI::App* AddCommand(CLI::App& root, const std::string& name, const std::string& what,
                     const std::string& example, Chosen& chosen, Action action);

void AddBenchCommand(CLI::App& root, Chosen& chosen);
void AddCacheCommand(CLI::App& root, Chosen& chosen);
void AddCheckCommand(CLI::App& root, Chosen& chosen);
void AddCompileCommand(CLI::App& root, Chosen& chosen);
void AddConfigCommand(CLI::App& root, Chosen& chosen);
void AddDescribeCommand(CLI::App& root, Chosen& chosen);
void AddDevicesCommand(CLI::App& root, Chosen& chosen);
void AddDrainCommand(CLI::App& root, Chosen& chosen);
void AddEvictCommand(CLI::App& root, Chosen& chosen);
void AddFmtCommand(CLI::App& root, Chosen& chosen);
void AddKernelsCommand(CLI::App& root, Chosen& chosen);
void AddLimitsCommand(CLI::App& root, Chosen& chosen);
void AddProbeCommand(CLI::App& root, Chosen& chosen);
void AddRunCommand(CLI::App& root, Chosen& chosen);
void AddSessionsCommand(CLI::App& root, Chosen& chosen);
void AddStatusCommand(CLI::App& root, Chosen& chosen);
void AddSurfacesCommand(CLI::App& root, Chosen& chosen);
void AddVersionCommand(CLI::App& root, Chosen& chosen);

// Parses `arguments` (without the program's name), runs the command, prints what goes wrong; the
// exit code.
int RunAnectl(const std::vector<std::string>& arguments, Context& context);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_COMMAND_H_
