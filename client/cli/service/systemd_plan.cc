// The plans for the systemd user manager. The socket unit stands for the service: it is what is
// enabled, it listens while the daemon is not there, and it starts it.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/service/plan.h"

namespace anex::cli {
namespace {

class SystemdPlanner {
 public:
  SystemdPlanner(const ServiceWish& wish, const Layout& layout, const Found& found)
      : wish_(wish),
        layout_(layout),
        found_(found),
        listening_(found.listening),
        running_(found.pid != 0) {}

  absl::StatusOr<Plan> Make() {
    switch (wish_.verb) {
      case ServiceVerb::kInstall:
        return Install();
      case ServiceVerb::kUninstall:
        return Uninstall();
      case ServiceVerb::kLogs:
        return Logs();
      case ServiceVerb::kStop:
        return Stop();
      case ServiceVerb::kStart:
      case ServiceVerb::kRestart:
        break;
    }
    // A package may have brought the units.
    if (!found_.known && !AnyFile(layout_, found_)) return NotInstalled();
    if (absl::Status s = RefuseForeign(layout_, found_); !s.ok()) return s;
    if (found_.stale) Reload();
    if (wish_.verb == ServiceVerb::kRestart && listening_ && running_) {
      Run({"restart", kServiceUnit}, "clients that come now wait");
    } else {
      Go();
    }
    return plan_;
  }

 private:
  absl::StatusOr<Plan> Install() {
    if (absl::Status s = RefuseForeign(layout_, found_); !s.ok()) return s;
    const bool changed = PlanFiles(layout_, found_, plan_);
    if (changed || found_.stale) Reload();
    if (found_.enabled) {
      plan_.already.push_back(absl::StrCat(kSocketUnit, " is enabled"));
    } else {
      Run({"enable", kSocketUnit}, "at every login");
    }
    if (changed && (listening_ || running_)) Halt();
    Go();
    return plan_;
  }

  absl::StatusOr<Plan> Uninstall() {
    if (listening_ || running_) Halt();
    if (found_.enabled) Run({"disable", kSocketUnit}, "");
    const size_t before = plan_.steps.size();
    for (const LayoutFile& file : layout_.files) {
      if (found_.files.contains(file.path)) plan_.steps.push_back(RemoveFileStep(file.path));
    }
    if (plan_.steps.size() > before) {
      Reload();
    } else if (found_.known) {
      plan_.notes.push_back("the units are not of anectl install; whoever brought them takes them");
    }
    if (plan_.steps.empty()) plan_.already.push_back("the service is not installed");
    return plan_;
  }

  absl::StatusOr<Plan> Stop() {
    if (listening_ || running_) {
      Halt();
      plan_.notes.push_back(found_.enabled ? "it comes back with anectl start, or at the next login"
                                           : "it comes back with anectl start");
    } else {
      plan_.already.push_back("the service is stopped");
    }
    return plan_;
  }

  absl::StatusOr<Plan> Logs() {
    std::vector<std::string> command = {"journalctl", "--user",  "--unit",
                                        kServiceUnit, "--lines", absl::StrCat(wish_.lines),
                                        "--no-pager"};
    if (wish_.follow) command.push_back("--follow");
    plan_.steps.push_back(ShowStep(std::move(command)));
    return plan_;
  }

  void Run(std::vector<std::string> words, std::string why) {
    words.insert(words.begin(), {"systemctl", "--user"});
    plan_.steps.push_back(RunStep(std::move(words), std::move(why),
                                  absl::StrCat("`systemctl --user status ", kSocketUnit, " ",
                                               kServiceUnit, "` and `anectl logs` say more")));
  }
  void Reload() { Run({"daemon-reload"}, "reads the units"); }
  // Both: a socket that stays open would start the daemon again.
  void Halt() {
    Run({"stop", kSocketUnit, kServiceUnit}, "ends it and closes its sockets");
    listening_ = running_ = false;
  }
  void Go() {
    if (found_.failed) {
      Run({"reset-failed", kSocketUnit, kServiceUnit}, "it crashed too often to be started again");
    }
    // Sockets cannot be opened for a daemon that runs already, on its own.
    if (running_ && !listening_) Halt();
    if (!listening_) Run({"start", kSocketUnit}, "opens its sockets");
    if (!running_) {
      Run({"start", kServiceUnit}, "now, rather than when the first client comes");
    } else {
      plan_.already.push_back(absl::StrCat("the service runs, pid ", found_.pid));
    }
  }

  const ServiceWish& wish_;
  const Layout& layout_;
  const Found& found_;
  bool listening_, running_;
  Plan plan_;
};

}  // namespace

absl::StatusOr<Plan> MakeSystemdPlan(const ServiceWish& wish, const Layout& layout,
                                     const Found& found) {
  return SystemdPlanner(wish, layout, found).Make();
}

}  // namespace anex::cli
