#include "client/cli/service/layout.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "client/anex/connect.h"
#include "client/cli/service/templates.h"

namespace anex::cli {
namespace {

// sun_path of macOS without its final NUL.
constexpr size_t kMostSocketPath = 103;
constexpr const char* kSockets[] = {"anexd.sock", "observer.sock", "side.sock"};

// A path goes into files of one line a setting.
absl::Status CheckPath(std::string_view what, const std::string& path) {
  if (path.empty() || path.front() != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(what), " should be an absolute path, found \"", path, "\""));
  }
  const bool printable =
      std::ranges::none_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  if (printable) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what), " has a line break or another control character in it"));
}

absl::StatusOr<Layout> LaunchdLayout(const ServiceWish& wish) {
  const std::string library = absl::StrCat(wish.home, "/Library");
  const std::string logs = absl::StrCat(library, "/Logs/anexd");
  const std::string cache = absl::StrCat(library, "/Caches/anexd");
  Layout layout;
  layout.runtime_dir = wish.runtime_dir.empty() ? absl::StrCat(wish.home, "/", kAgentRuntimeFolder)
                                                : wish.runtime_dir;
  if (absl::Status s = CheckPath("--runtime-dir", layout.runtime_dir); !s.ok()) return s;
  for (const char* name : kSockets) {
    const std::string path = absl::StrCat(layout.runtime_dir, "/", name);
    if (path.size() > kMostSocketPath) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the path of a socket, ", path, ", has ", path.size(), " bytes, the most is ",
          kMostSocketPath, "; name a shorter folder with --runtime-dir, and its anexd.sock in ",
          "$ANEXD_SOCKET for clients"));
    }
    layout.left_over.push_back(path);
  }
  layout.left_over.push_back(absl::StrCat(layout.runtime_dir, "/anexd.lock"));
  layout.folders = {{absl::StrCat(library, "/LaunchAgents"), 0755},
                    {layout.runtime_dir, 0700, true},
                    {logs, 0700, true},
                    {cache, 0700, true}};
  layout.files = {{absl::StrCat(library, "/LaunchAgents/", kAgentLabel, ".plist"),
                   FillTemplate(kAgentPlistTemplate, {{"ANEXD", XmlText(wish.anexd)},
                                                      {"RUNTIME_DIR", XmlText(layout.runtime_dir)},
                                                      {"CACHE_DIR", XmlText(cache)},
                                                      {"LOG_DIR", XmlText(logs)}})}};
  layout.logs = {absl::StrCat(logs, "/anexd.log"), absl::StrCat(logs, "/stderr.log")};
  layout.kept = {logs, cache};
  return layout;
}

absl::StatusOr<Layout> SystemdLayout(const ServiceWish& wish) {
  const std::string config =
      wish.config_home.empty() ? absl::StrCat(wish.home, "/.config") : wish.config_home;
  if (absl::Status s = CheckPath("$XDG_CONFIG_HOME", config); !s.ok()) return s;
  if (!wish.runtime_dir.empty()) {
    return absl::InvalidArgumentError(
        "--runtime-dir is for launchd: with systemd the sockets are in $XDG_RUNTIME_DIR/anexd; "
        "`systemctl --user edit anexd.socket` can add others");
  }
  const std::string units = absl::StrCat(config, "/systemd/user");
  Layout layout;
  layout.folders = {{units, 0755}};
  layout.files = {{absl::StrCat(units, "/", kSocketUnit), FillTemplate(kSocketUnitTemplate, {})},
                  {absl::StrCat(units, "/", kServiceUnit),
                   FillTemplate(kServiceUnitTemplate, {{"ANEXD", UnitWord(wish.anexd)}})}};
  if (!wish.user_runtime_dir.empty()) {
    layout.runtime_dir = absl::StrCat(wish.user_runtime_dir, "/anexd");
  }
  return layout;
}

}  // namespace

absl::StatusOr<Layout> LayoutOf(const ServiceWish& wish) {
  if (absl::Status s = CheckPath("$HOME", wish.home); !s.ok()) return s;
  if (wish.verb == ServiceVerb::kInstall) {
    if (absl::Status s = CheckPath("the daemon's program", wish.anexd); !s.ok()) return s;
  }
  return wish.manager == ServiceManager::kLaunchd ? LaunchdLayout(wish) : SystemdLayout(wish);
}

}  // namespace anex::cli
