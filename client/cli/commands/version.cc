#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/output/text.h"

namespace anex::cli {
namespace {

absl::StatusOr<int> Version(Context& context, bool ask_daemon) {
  Json json{{"anectl", ANEX_VERSION}};
  std::string text = "anectl " ANEX_VERSION "\n";
  if (ask_daemon) {
    const absl::StatusOr<std::shared_ptr<Transport>> transport = context.Connect();
    if (!transport.ok()) return transport.status();
    const absl::StatusOr<DaemonInfo> info = (*transport)->GetInfo();
    if (!info.ok()) return info.status();
    json["daemon"] = ToJson(*info);
    absl::StrAppend(&text, "anexd  ", Harmless(info->version), " (", Harmless(info->build), ")\n");
  }
  context.Print(json, text);
  return kExitOk;
}

}  // namespace

void AddVersionCommand(CLI::App& root, Chosen& chosen) {
  auto ask_daemon = std::make_shared<bool>(false);
  CLI::App* command =
      AddCommand(root, "version", "The version of anectl, and of the daemon with --daemon",
                 "anectl version --daemon", chosen,
                 [ask_daemon](Context& context) { return Version(context, *ask_daemon); });
  command->add_flag("--daemon", *ask_daemon, "Ask the daemon for its version too");
}

}  // namespace anex::cli
