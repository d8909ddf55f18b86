#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/bench/submit_bench.h"
#include "client/cli/commands/bench.h"
#include "client/cli/output/bench_view.h"

namespace anex::cli {
namespace {

struct SubmitCommand {
  bench::SubmitOptions options;
  std::optional<std::string> json;  // "" or "-" = standard output
  std::optional<double> seconds;
  std::optional<int> rounds;
  bool quick = false;

  bench::SubmitOptions ToOptions() const {
    bench::SubmitOptions chosen = options;
    chosen.rounds = rounds.value_or(quick ? 3 : 10);
    chosen.seconds = seconds.value_or(quick ? 0.3 : 5) / chosen.rounds;
    return chosen;
  }
};

absl::StatusOr<int> Run(Context& context, const SubmitCommand& command) {
  bench::SubmitOptions options = command.ToOptions();
  options.say = ProgressOn(context);
  if (absl::Status good = bench::CheckSubmitOptions(options); !good.ok()) {
    return UsageProblem(good);
  }
  absl::StatusOr<std::optional<OutputFile>> json = OpenResult(command.json);
  if (!json.ok()) return json.status();
  const absl::StatusOr<bench::SubmitReport> report = bench::RunSubmit(PlacesOf(context), options);
  if (!report.ok()) return report.status();
  const absl::Status written =
      DeliverResult(context, ToJson(*report), RenderSubmit(*report, context.columns, context.style),
                    command.json, *json);
  if (!written.ok()) return written;
  return report->good() ? kExitOk : kExitFailed;
}

}  // namespace

void AddBenchSubmit(CLI::App& bench, Chosen& chosen) {
  auto command = std::make_shared<SubmitCommand>();
  CLI::App* submit =
      AddCommand(bench, "submit",
                 "Percentiles of one invocation, from when it was meant to start, by way and load",
                 "anectl bench submit --rate 1000,5000 --ways unary,ring --json submit.json",
                 chosen, [command](Context& context) { return Run(context, *command); });
  submit->add_option("--kernel", command->options.kernel, "null, or CHANNELSxCOLUMNS")
      ->option_text("NAME=null");
  submit
      ->add_option("--ways", command->options.ways,
                   "in-process, unary, stream, ring (default: all)")
      ->delimiter(',')
      ->option_text("A,B");
  submit
      ->add_option("--rate", command->options.rates,
                   "Invocations a second, beside the closed loop; several are several loads")
      ->delimiter(',')
      ->option_text("R,S=1000");
  submit->add_option("--seconds", command->seconds, "Of each way at each load, over all rounds")
      ->check(CLI::Range(0.001, 86400.0))
      ->option_text("S=5");
  submit->add_option("--rounds", command->rounds, "Rounds in which ways take turns")
      ->check(CLI::Range(1, 10'000))
      ->option_text("N=10");
  submit->add_flag("--quick", command->quick, "3 rounds, 0.3 s of each, unless told otherwise");
  submit->add_option("--device", command->options.device, "Device (default: the daemon's)")
      ->type_name("NAME");
  submit
      ->add_option("--json", command->json,
                   "Histograms and rounds, to a file or, without one, to standard output")
      ->expected(0, 1)
      ->option_text("[FILE]");
}

}  // namespace anex::cli
