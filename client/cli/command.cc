#include "client/cli/command.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/commands/service.h"
#include "client/cli/output/caret.h"
#include "client/cli/output/text.h"
#include "client/cli/usage_problem.h"
#include "client/transport/grpc_transport.h"

namespace anex::cli {
namespace {

void AddGlobals(CLI::App& app, Globals& globals) {
  app.add_option("--socket", globals.socket,
                 "The daemon's socket (default: $ANEXD_SOCKET, else the runtime folder's)")
      ->type_name("PATH");
  app.add_flag("--json", globals.json, "One JSON object on standard output; see README.md");
  app.add_flag("--no-color", globals.no_color, "No colour, even on a terminal");
  app.add_option("--timeout", globals.timeout_s, "Seconds that one call may take")
      ->check(CLI::Range(0.01, 86400.0))
      ->option_text("S=60");
}

void AddCommands(CLI::App& app, Chosen& chosen) {
  AddStatusCommand(app, chosen);
  AddProbeCommand(app, chosen);
  AddRunCommand(app, chosen);
  AddCheckCommand(app, chosen);
  AddFmtCommand(app, chosen);
  AddCompileCommand(app, chosen);
  AddDescribeCommand(app, chosen);
  AddDevicesCommand(app, chosen);
  AddSessionsCommand(app, chosen);
  AddKernelsCommand(app, chosen);
  AddSurfacesCommand(app, chosen);
  AddCacheCommand(app, chosen);
  AddLimitsCommand(app, chosen);
  AddConfigCommand(app, chosen);
  AddBenchCommand(app, chosen);
  AddDrainCommand(app, chosen);
  AddEvictCommand(app, chosen);
  AddServiceCommands(app, chosen);
  AddVersionCommand(app, chosen);
}

int PrintError(const absl::Status& status, const Context& context) {
  const std::vector<Diagnostic> findings = DiagnosticsOf(status);
  Json json = ErrorJson(status);
  if (!findings.empty()) json["error"]["diagnostics"] = ToJsonList(findings);
  if (context.globals.json) context.out << Dump(json);
  if (!findings.empty()) {
    context.err << RenderDiagnostics(findings, context.err_style)
                << context.err_style.Paint("anectl:", Tint::kBad)
                << " the program was refused: " << Plural(CountErrors(findings), "error", "errors")
                << " [" << absl::StatusCodeToString(status.code()) << "]\n";
    return ExitCodeOf(status);
  }
  context.PrintProblem(status);
  return ExitCodeOf(status);
}

}  // namespace

absl::StatusOr<Session> Context::OpenSession(bool use_in_process) const {
  absl::StatusOr<std::shared_ptr<Transport>> transport =
      use_in_process ? in_process() : connect(globals);
  if (!transport.ok()) return transport.status();
  return Session::Open(*std::move(transport), OpenSpec{.client_name = "anectl"});
}

void Context::PrintProblem(const absl::Status& status) const {
  out.flush();  // what was done comes before what went wrong
  err << err_style.Paint("anectl:", Tint::kBad) << " "
      << HarmlessLines(std::string(status.message())) << " ["
      << absl::StatusCodeToString(status.code()) << "]\n";
}

CLI::App* AddCommand(CLI::App& root, const std::string& name, const std::string& what,
                     const std::string& example, Chosen& chosen, Action action) {
  CLI::App* command = root.add_subcommand(name, what);
  command->group("Commands");
  command->fallthrough();  // --json and the like also after the command
  command->footer("Also: --socket PATH, --json, --no-color, --timeout S.\n\nExample:\n  " +
                  example);
  command->callback([&chosen, action = std::move(action)] { chosen = action; });
  return command;
}

namespace {

void Describe(CLI::App& app) {
  app.name("anectl");
  app.footer(std::string(kExitCodeHelp) +
             "\n\nanectl COMMAND --help says more about a command.\n\nExample:\n  anectl run "
             "model.mil --input x=ones");
  app.set_version_flag("--version", "anectl " ANEX_VERSION, "The version of anectl");
  app.set_help_flag("-h,--help", "This text");
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.get_formatter()->label("Positionals", "Arguments");
  app.get_formatter()->label("REQUIRED", "");
  app.get_formatter()->label("Excludes", "not with");
  app.require_subcommand(1);
}

// "anectl help run" is "anectl run --help".
std::vector<std::string> HelpAsOption(std::vector<std::string> arguments) {
  if (arguments.empty() || arguments.front() != "help") return arguments;
  arguments.erase(arguments.begin());
  arguments.push_back("--help");
  return arguments;
}

int PrintUsageError(const CLI::App& app, const CLI::ParseError& error,
                    const std::vector<std::string>& arguments, Context& context) {
  // The parser may have stopped before it came to it.
  if (std::ranges::count(arguments, "--json") > 0) context.globals.json = true;
  if (arguments.empty()) {
    context.err << app.help();
    return kExitUsage;
  }
  PrintError(DescribeUsageProblem(app, error), context);
  return kExitUsage;
}

// The code, unless the output was lost: then what was done is not known to whoever asked.
int Finish(int code, Context& context) {
  context.out.flush();
  if (context.out.good()) return code;
  const int error = context.write_error ? context.write_error() : 0;
  if (error == EPIPE) return code;  // the reader has seen enough
  context.PrintProblem(
      absl::DataLossError(absl::StrCat("the output could not be written", error == 0 ? "" : ": ",
                                       error == 0 ? "" : std::strerror(error))));
  return code == kExitOk ? kExitFailed : code;
}

}  // namespace

int RunAnectl(const std::vector<std::string>& raw_arguments, Context& context) {
  CLI::App app{
      "Looks at, controls and uses anexd, the daemon that owns this machine's neural engine."};
  Describe(app);
  Chosen chosen;
  AddGlobals(app, context.globals);
  AddCommands(app, chosen);
  const std::vector<std::string> arguments = HelpAsOption(raw_arguments);
  try {
    // CLI11 takes the arguments last first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;  // for help or the version
    const int code = asked ? app.exit(error, context.out, context.err)
                           : PrintUsageError(app, error, arguments, context);
    return Finish(code, context);
  }
  if (context.globals.no_color) context.style = context.err_style = Style(false);
  const absl::StatusOr<int> code = chosen(context);
  return Finish(code.ok() ? *code : PrintError(code.status(), context), context);
}

}  // namespace anex::cli
