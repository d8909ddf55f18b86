#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/anex/program_file.h"
#include "client/cli/commands/program_options.h"
#include "client/cli/output/caret.h"
#include "client/cli/output/views.h"

namespace anex::cli {
namespace {

struct DescribeCommand {
  std::string what;
  ProgramOptions program;
};

bool LooksLikeDigest(const std::string& text) {
  return text.size() >= 6 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

absl::StatusOr<int> DescribeFile(Context& context, const Session& session,
                                 const DescribeCommand& command) {
  const absl::StatusOr<CompileOptions> options = command.program.ToCompileOptions();
  if (!options.ok()) return context.UsageProblem(options.status());
  const absl::StatusOr<ProgramSource> source = LoadProgram(
      command.what, {.weights_root = command.program.weights_root, .weights_may_be_missing = true});
  if (!source.ok()) return source.status();
  const absl::StatusOr<CheckResult> result = session.Check(*source, *options);
  if (!result.ok()) return result.status();
  context.Print(ToJson(*result), RenderDiagnostics(result->diagnostics, context.style) +
                                     RenderFunctions(result->functions, context.style));
  return CountErrors(result->diagnostics) == 0 ? kExitOk : kExitFailed;
}

// The whole digest that `start` begins, among loaded kernels and the cache.
absl::StatusOr<std::string> FindDigest(Transport& transport, const std::string& start) {
  std::vector<std::string> found;
  const absl::StatusOr<DaemonStatus> status = transport.GetStatus();
  if (!status.ok()) return status.status();
  for (const KernelStatus& kernel : status->kernels) found.push_back(kernel.digest);
  const absl::StatusOr<std::vector<CacheEntryInfo>> cache = transport.CacheList(false);
  if (!cache.ok()) return cache.status();
  for (const CacheEntryInfo& entry : *cache) found.push_back(entry.digest);
  std::erase_if(found, [&](const std::string& digest) { return !digest.starts_with(start); });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no file and no loaded or cached kernel \"", start, "\""));
  }
  if (found.size() == 1) return found.front();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", start, "\" fits ", found.size(), " kernels: give more of the digest"));
}

absl::StatusOr<int> DescribeDigest(Context& context, const Session& session,
                                   const DescribeCommand& command) {
  const absl::StatusOr<CompileOptions> options = command.program.ToCompileOptions();
  if (!options.ok()) return context.UsageProblem(options.status());
  const absl::StatusOr<Transport*> transport = session.transport();
  if (!transport.ok()) return transport.status();
  const absl::StatusOr<std::string> digest = FindDigest(**transport, command.what);
  if (!digest.ok()) return digest.status();
  const absl::StatusOr<Kernel> kernel = session.CompileByDigest(*digest, *options);
  if (!kernel.ok()) return kernel.status();
  context.Print(ToJson(kernel->info()),
                RenderKernel(kernel->info(), context.style) +
                    RenderFunctions(kernel->info().functions, context.style));
  return kExitOk;
}

absl::StatusOr<int> Describe(Context& context, const DescribeCommand& command) {
  absl::StatusOr<Session> session = context.OpenSession(command.program.in_process);
  if (!session.ok()) return session.status();
  std::error_code error;
  const bool file = std::filesystem::exists(command.what, error);
  if (file || !LooksLikeDigest(command.what)) return DescribeFile(context, *session, command);
  return DescribeDigest(context, *session, command);
}

}  // namespace

void AddDescribeCommand(CLI::App& root, Chosen& chosen) {
  auto options = std::make_shared<DescribeCommand>();
  CLI::App* command =
      AddCommand(root, "describe", "The functions and ports of a program or a loaded kernel",
                 "anectl describe model.mil", chosen,
                 [options](Context& context) { return Describe(context, *options); });
  command->add_option("FILE|DIGEST", options->what, "A MIL program, or (the start of) a digest")
      ->required();
  AddProgramOptions(*command, options->program);
}

}  // namespace anex::cli
