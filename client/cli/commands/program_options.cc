#include "client/cli/commands/program_options.h"

#include "absl/strings/str_cat.h"

namespace anex::cli {

absl::StatusOr<std::pair<std::string, std::string>> SplitAssignment(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not NAME=VALUE"));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

absl::StatusOr<CompileOptions> ProgramOptions::ToCompileOptions() const {
  CompileOptions compile{.device = device};
  for (const std::string& option : options) {
    absl::StatusOr<std::pair<std::string, std::string>> pair = SplitAssignment(option);
    if (!pair.ok()) return pair.status();
    compile.options.insert(*std::move(pair));
  }
  return compile;
}

void AddProgramOptions(CLI::App& command, ProgramOptions& options) {
  command.add_option("--device", options.device, "Device (default: the daemon's)")
      ->type_name("NAME");
  command.add_option("--option", options.options, "Device option, e.g. numerics=reference")
      ->type_name("KEY=VALUE");
  command
      .add_option("--weights-root", options.weights_root,
                  "Folder that @model_path stands for (default: the program's)")
      ->type_name("DIR");
  command.add_flag("--in-process", options.in_process,
                   "Use an engine inside anectl instead of the daemon");
}

}  // namespace anex::cli
