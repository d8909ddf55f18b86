#include <memory>
#include <optional>

#include "client/cli/command.h"
#include "client/cli/output/probe_view.h"

namespace anex::cli {
namespace {

struct ProbeOptions {
  std::string device;
  bool thorough = false;
  bool in_process = false;
  bool markdown = false;
};

absl::StatusOr<int> Probe(Context& context, const ProbeOptions& options) {
  const absl::StatusOr<std::shared_ptr<Transport>> transport =
      options.in_process ? context.in_process() : context.Connect();
  if (!transport.ok()) return transport.status();
  const absl::StatusOr<ProbeReport> report = (*transport)->Probe(options.device, options.thorough);
  if (!report.ok()) return report.status();
  if (!options.markdown) {
    context.Print(ToJson(*report), RenderProbe(*report, context.style));
    return kExitOk;
  }
  std::optional<DaemonInfo> daemon;
  if (!options.in_process) {
    const absl::StatusOr<DaemonInfo> info = (*transport)->GetInfo();
    if (!info.ok()) return info.status();
    daemon = *info;
  }
  context.out << RenderProbeMarkdown(*report, daemon ? &*daemon : nullptr);
  return kExitOk;
}

}  // namespace

void AddProbeCommand(CLI::App& root, Chosen& chosen) {
  auto options = std::make_shared<ProbeOptions>();
  CLI::App* command = AddCommand(
      root, "probe", "What a device turns out to be able to do, by trying it; takes seconds",
      "anectl probe --markdown > probe.md", chosen,
      [options](Context& context) { return Probe(context, *options); });
  command
      ->add_option("device", options->device, "The device; the daemon's default one if not given")
      ->option_text("DEVICE");
  command->add_flag("--thorough", options->thorough,
                    "Also what may use up something of the machine's until a restart");
  command->add_flag("--in-process", options->in_process,
                    "Without a daemon, on a device of its own");
  command->add_flag("--markdown", options->markdown, "A report to attach to an issue");
}

}  // namespace anex::cli
