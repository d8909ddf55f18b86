#include <memory>
#include <string>
#include <utility>

#include "client/cli/bench/comparison.h"
#include "client/cli/bench/recorded_run.h"
#include "client/cli/commands/bench.h"
#include "client/cli/output/bench_view.h"
#include "client/cli/program_inputs.h"

namespace anex::cli {
namespace {

struct CompareCommand {
  std::string before, after;
  double tolerance_percent = 5;
  bool relative = false;
};

absl::StatusOr<bench::RecordedRun> Load(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  if (!text.ok()) return text.status();
  return bench::ParseRecordedRun(*text, path);
}

absl::StatusOr<int> Run(const Context& context, const CompareCommand& command) {
  const absl::StatusOr<bench::RecordedRun> before = Load(command.before);
  if (!before.ok()) return before.status();
  const absl::StatusOr<bench::RecordedRun> after = Load(command.after);
  if (!after.ok()) return after.status();
  const absl::StatusOr<bench::Comparison> comparison =
      bench::Compare(*before, *after,
                     {.tolerance = command.tolerance_percent / 100, .relative = command.relative});
  if (!comparison.ok()) return comparison.status();
  context.Print(ToJson(*comparison), RenderComparison(*comparison, context.style));
  return comparison->got_worse() ? kExitFailed : kExitOk;
}

}  // namespace

void AddBenchCompare(CLI::App& bench, Chosen& chosen) {
  auto command = std::make_shared<CompareCommand>();
  CLI::App* compare =
      AddCommand(bench, "compare",
                 "Two files that --json wrote, figure by figure; exit code 1 if one got worse",
                 "anectl bench compare before.json after.json --tolerance 10", chosen,
                 [command](Context& context) { return Run(context, *command); });
  compare->add_option("BEFORE", command->before, "The file of the earlier run")
      ->type_name("")
      ->required();
  compare->add_option("AFTER", command->after, "The file of the later run")
      ->type_name("")
      ->required();
  compare
      ->add_option("--tolerance", command->tolerance_percent,
                   "How much longer, in percent, is no regression")
      ->check(CLI::Range(0.0, 10'000.0))
      ->option_text("P=5");
  compare->add_flag("--relative", command->relative,
                    "Compare what is over the same work in process, not times: the machine's "
                    "speed at the time counts less");
}

}  // namespace anex::cli
