#include <memory>
#include <string>

#include "client/anex/program_file.h"
#include "client/cli/commands/program_options.h"
#include "client/cli/output/caret.h"
#include "client/cli/output/views.h"

namespace anex::cli {
namespace {

struct CompileCommand {
  std::string file;
  ProgramOptions program;
};

absl::StatusOr<int> Compile(Context& context, const CompileCommand& command) {
  const absl::StatusOr<CompileOptions> options = command.program.ToCompileOptions();
  if (!options.ok()) return context.UsageProblem(options.status());
  const absl::StatusOr<ProgramSource> source =
      LoadProgram(command.file, {.weights_root = command.program.weights_root});
  if (!source.ok()) return source.status();
  absl::StatusOr<Session> session = context.OpenSession(command.program.in_process);
  if (!session.ok()) return session.status();
  const absl::StatusOr<Kernel> kernel = session->Compile(*source, *options);
  if (!kernel.ok()) return kernel.status();
  const KernelInfo& info = kernel->info();
  context.Print(ToJson(info), RenderDiagnostics(info.diagnostics, context.style) +
                                  RenderKernel(info, context.style) +
                                  RenderFunctions(info.functions, context.style));
  return kExitOk;
}

}  // namespace

void AddCompileCommand(CLI::App& root, Chosen& chosen) {
  auto options = std::make_shared<CompileCommand>();
  CLI::App* command = AddCommand(
      root, "compile", "Compiles a program, into the daemon's cache too; shows its ports",
      "anectl compile model.mil --device cpu", chosen,
      [options](Context& context) { return Compile(context, *options); });
  command->add_option("FILE", options->file, "The MIL program")->required();
  AddProgramOptions(*command, options->program);
}

}  // namespace anex::cli
