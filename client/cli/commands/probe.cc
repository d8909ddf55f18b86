#include <sys/utsname.h>

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/output/probe_view.h"
#include "client/cli/output/text.h"
#include "client/cli/output_file.h"

namespace anex::cli {
namespace {

struct ProbeOptions {
  std::string device;
  bool thorough = false;
  bool in_process = false;
  std::string report;  // "" = none, "-" = standard output
};

// "Darwin 25.0.0 arm64"
std::string SystemName() {
  utsname system{};
  if (::uname(&system) != 0) return "unknown";
  return absl::StrCat(system.sysname, " ", system.release, " ", system.machine);
}

absl::StatusOr<ProbeOrigin> OriginOf(Transport& transport, const ProbeOptions& options) {
  ProbeOrigin origin{.anectl = ANEX_VERSION, .system = SystemName(), .thorough = options.thorough};
  if (options.in_process) return origin;
  absl::StatusOr<DaemonInfo> info = transport.GetInfo();
  if (!info.ok()) return info.status();
  origin.daemon = *std::move(info);
  return origin;
}

absl::StatusOr<int> Probe(Context& context, const ProbeOptions& options) {
  const bool to_output = options.report == "-";
  if (to_output && context.globals.json) {
    return UsageProblem(absl::InvalidArgumentError(
        "--json and --report - both want standard output; name a file for the report"));
  }
  std::optional<OutputFile> file;
  if (!options.report.empty() && !to_output) {
    absl::StatusOr<OutputFile> opened = OutputFile::Open(options.report);
    if (!opened.ok()) return opened.status();
    file.emplace(*std::move(opened));
  }
  const absl::StatusOr<std::shared_ptr<Transport>> transport =
      options.in_process ? context.in_process() : context.Connect();
  if (!transport.ok()) return transport.status();
  const absl::StatusOr<ProbeOrigin> origin = OriginOf(**transport, options);
  if (!origin.ok()) return origin.status();
  const absl::StatusOr<ProbeReport> report = (*transport)->Probe(options.device, options.thorough);
  if (!report.ok()) return report.status();
  if (file) {
    absl::Status written = file->Write(RenderProbeMarkdown(*report, *origin));
    if (!written.ok()) return written;
  }
  if (to_output) {
    context.out << RenderProbeMarkdown(*report, *origin);
    return kExitOk;
  }
  Json json = ToJson(*report);
  json["thorough"] = options.thorough;
  std::string text = RenderProbe(*report, context.columns, context.style);
  if (file) absl::StrAppend(&text, "The report is in ", Harmless(file->path()), "\n");
  context.Print(json, text);
  return kExitOk;
}

}  // namespace

void AddProbeCommand(CLI::App& root, Chosen& chosen) {
  auto options = std::make_shared<ProbeOptions>();
  CLI::App* command = AddCommand(
      root, "probe", "What a device turns out to be able to do, by trying it; takes seconds",
      "anectl probe ane --report probe.md", chosen,
      [options](Context& context) { return Probe(context, *options); });
  command
      ->add_option("device", options->device, "The device; the daemon's default one if not given")
      ->option_text("DEVICE");
  command->add_flag("--thorough", options->thorough,
                    "Also what may use up something of the machine's until a restart, or hang");
  command
      ->add_option("--report", options->report,
                   "Write a Markdown report to attach to an issue; - prints it instead of a table")
      ->option_text("FILE");
  command->add_flag("--in-process", options->in_process,
                    "Without a daemon, on a device of its own");
}

}  // namespace anex::cli
