#include "client/cli/commands/bench.h"

#include <memory>
#include <utility>

namespace anex::cli {

bench::Places PlacesOf(const Context& context) {
  bench::Places places;
  places.daemon = [&context] { return context.Connect(); };
  if (context.share_in_process) {
    // Sessions of one engine, as those of a daemon are.
    auto engine = std::make_shared<TransportSource>();
    places.in_process = [&context, engine]() -> absl::StatusOr<std::shared_ptr<Transport>> {
      if (!*engine) {
        absl::StatusOr<TransportSource> started = context.share_in_process();
        if (!started.ok()) return started.status();
        *engine = *std::move(started);
      }
      return (*engine)();
    };
  }
  return places;
}

std::function<void(const std::string&)> ProgressOn(Context& context) {
  if (!context.err_terminal) return nullptr;
  return [&context](const std::string& what) { context.err << what << std::endl; };
}

absl::StatusOr<std::optional<OutputFile>> OpenResult(const std::optional<std::string>& path) {
  std::optional<OutputFile> opened;
  if (!path || path->empty() || *path == "-") return opened;
  absl::StatusOr<OutputFile> file = OutputFile::Open(*path);
  if (!file.ok()) return file.status();
  opened.emplace(*std::move(file));
  return opened;
}

absl::Status DeliverResult(const Context& context, const Json& json, const std::string& text,
                           const std::optional<std::string>& json_path,
                           std::optional<OutputFile>& json_file) {
  const bool to_output = context.globals.json || (json_path && !json_file);
  context.out << (to_output ? Dump(json) : text);
  return json_file ? json_file->Write(Dump(json)) : absl::OkStatus();
}

void AddBenchCommand(CLI::App& root, Chosen& chosen) {
  CLI::App* bench =
      root.add_subcommand("bench", "What a daemon costs: ceiling, submit; compare two runs");
  bench->group("Commands");
  bench->require_subcommand(1);
  bench->fallthrough();
  bench->footer(
      "Example:\n  anectl bench ceiling --quick\n  anectl bench ceiling --json before.json --svg "
      "before.svg\n  anectl bench compare before.json after.json");
  AddBenchCeiling(*bench, chosen);
  AddBenchSubmit(*bench, chosen);
  AddBenchCompare(*bench, chosen);
}

}  // namespace anex::cli
