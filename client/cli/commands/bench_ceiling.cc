#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/bench/ceiling.h"
#include "client/cli/bench/ceiling_chart.h"
#include "client/cli/bench/ceiling_json.h"
#include "client/cli/bench/mode_list.h"
#include "client/cli/commands/bench.h"
#include "client/cli/output/bench_view.h"

namespace anex::cli {
namespace {

struct CeilingCommand {
  bench::CeilingOptions options;
  std::optional<std::string> json;            // "" or "-" = standard output
  std::optional<std::string> svg;             // a file
  std::optional<int> rounds, passes, warmup;  // nullopt = as the experiment has it, or quick
  bool quick = false;

  bench::CeilingOptions ToOptions() const {
    const bench::CeilingOptions usual;
    bench::CeilingOptions chosen = options;
    chosen.rounds = rounds.value_or(quick ? 3 : usual.rounds);
    chosen.passes = passes.value_or(quick ? 2 : usual.passes);
    chosen.warmup = warmup.value_or(quick ? 1 : usual.warmup);
    return chosen;
  }
};

absl::StatusOr<int> Run(Context& context, const CeilingCommand& command) {
  bench::CeilingOptions options = command.ToOptions();
  options.say = ProgressOn(context);
  if (absl::Status good = bench::CheckCeilingOptions(options); !good.ok()) {
    return UsageProblem(good);
  }
  if (command.svg && (command.svg->empty() || *command.svg == "-")) {
    return UsageProblem(absl::InvalidArgumentError("--svg needs the name of a file"));
  }
  absl::StatusOr<std::optional<OutputFile>> json = OpenResult(command.json);
  if (!json.ok()) return json.status();
  absl::StatusOr<std::optional<OutputFile>> svg = OpenResult(command.svg);
  if (!svg.ok()) return svg.status();
  const absl::StatusOr<bench::CeilingReport> report = bench::RunCeiling(PlacesOf(context), options);
  if (!report.ok()) return report.status();
  absl::Status written =
      DeliverResult(context, ToJson(*report),
                    RenderCeiling(*report, context.columns, context.style), command.json, *json);
  if (*svg) written.Update((*svg)->Write(bench::DrawCeiling(*report)));
  if (!written.ok()) return written;
  return report->good() ? kExitOk : kExitFailed;
}

std::string ModeHelp() {
  std::string help = "Modes (--modes):\n";
  for (const bench::ModeInfo& mode : bench::AllModes()) {
    absl::StrAppend(&help, "  ", std::string(mode.id),
                    std::string(mode.id.size() < 18 ? 18 - mode.id.size() : 1, ' '),
                    std::string(mode.what), "\n");
  }
  return help;
}

}  // namespace

void AddBenchCeiling(CLI::App& bench, Chosen& chosen) {
  auto command = std::make_shared<CeilingCommand>();
  CLI::App* ceiling =
      AddCommand(bench, "ceiling",
                 "Twelve kernels in every way there is to have them run: what bounds the rate?",
                 "anectl bench ceiling --shapes 768x256 --modes run-only,ring-12,chain-aliased",
                 chosen, [command](Context& context) { return Run(context, *command); });
  ceiling->footer(absl::StrCat(ModeHelp(), "\n", ceiling->get_footer()));
  ceiling
      ->add_option("--shapes", command->options.shapes,
                   "Kernels: null, or 1x1 convolutions as CHANNELSxCOLUMNS")
      ->delimiter(',')
      ->option_text("A,B=null,64x32,256x64,768x256");
  ceiling->add_option("--modes", command->options.modes, "Modes, as below (default: all)")
      ->delimiter(',')
      ->option_text("A,B");
  ceiling->add_option("--rounds", command->rounds, "Rounds in which modes take turns")
      ->check(CLI::Range(1, 10'000))
      ->option_text("N=10");
  ceiling->add_option("--passes", command->passes, "Passes of a mode in a round")
      ->check(CLI::Range(1, 10'000))
      ->option_text("N=5");
  ceiling->add_option("--warmup", command->warmup, "Passes of a mode before the first")
      ->check(CLI::Range(0, 10'000))
      ->option_text("N=5");
  ceiling->add_flag("--quick", command->quick,
                    "1 warm-up, 3 rounds of 2 passes, unless told otherwise");
  ceiling->add_option("--device", command->options.device, "Device (default: the daemon's)")
      ->type_name("NAME");
  ceiling
      ->add_option("--json", command->json,
                   "All samples, to a file or, without one, to standard output")
      ->expected(0, 1)
      ->option_text("[FILE]");
  ceiling->add_option("--svg", command->svg, "A chart")->type_name("FILE");
}

}  // namespace anex::cli
