#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/anex/program_file.h"
#include "client/cli/commands/program_options.h"
#include "client/cli/output/caret.h"
#include "client/cli/output/text.h"

namespace anex::cli {
namespace {

struct CheckCommand {
  std::vector<std::string> files;
  ProgramOptions program;
};

absl::StatusOr<CheckResult> CheckFile(const Session& session, const std::string& file,
                                      const CheckCommand& command, const CompileOptions& options) {
  absl::StatusOr<ProgramSource> source = LoadProgram(
      file, {.weights_root = command.program.weights_root, .weights_may_be_missing = true});
  if (!source.ok()) return source.status();
  source->name = file;  // findings name the file as the user did
  return session.Check(*source, options);
}

absl::StatusOr<int> Check(Context& context, const CheckCommand& command) {
  const absl::StatusOr<CompileOptions> options = command.program.ToCompileOptions();
  if (!options.ok()) return context.UsageProblem(options.status());
  absl::StatusOr<Session> session = context.OpenSession(command.program.in_process);
  if (!session.ok()) return session.status();
  Json files = Json::array();
  std::string text;
  size_t errors = 0;
  for (const std::string& file : command.files) {
    const absl::StatusOr<CheckResult> result = CheckFile(*session, file, command, *options);
    if (!result.ok()) return result.status();
    errors += CountErrors(result->diagnostics);
    Json entry = ToJson(*result);
    entry["file"] = file;
    files.push_back(std::move(entry));
    text += RenderDiagnostics(result->diagnostics, context.style);
  }
  absl::StrAppend(&text, Plural(command.files.size(), "file", "files"), ", ",
                  Plural(errors, "error", "errors"), "\n");
  context.Print(Json{{"files", files}, {"errors", errors}}, text);
  return errors == 0 ? kExitOk : kExitFailed;
}

}  // namespace

void AddCheckCommand(CLI::App& root, Chosen& chosen) {
  auto options = std::make_shared<CheckCommand>();
  CLI::App* command =
      AddCommand(root, "check", "Finds what is wrong in programs; exit code 1 if anything is",
                 "anectl check model.mil", chosen,
                 [options](Context& context) { return Check(context, *options); });
  command->add_option("FILE", options->files, "MIL programs; weight files may be missing")
      ->required();
  AddProgramOptions(*command, options->program);
}

}  // namespace anex::cli
