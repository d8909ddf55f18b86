// The plans for launchd. A job is in a domain (the user's graphical login) once it was
// bootstrapped; its sockets are open from then on, and it is in no state of its own besides running
// or not.
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/service/plan.h"
#include "client/cli/service/signer.h"

namespace anex::cli {
namespace {

// ExitTimeOut of the property list, and some for launchd itself.
constexpr int kMostEndSeconds = 30;

class LaunchdPlanner {
 public:
  LaunchdPlanner(const ServiceWish& wish, const Layout& layout, const Found& found)
      : wish_(wish),
        layout_(layout),
        found_(found),
        domain_(absl::StrCat("gui/", wish.uid)),
        job_(absl::StrCat(domain_, "/", kAgentLabel)),
        loaded_(found.listening) {}

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
    if (!AnyFile(layout_, found_)) return NotInstalled();
    return wish_.verb == ServiceVerb::kStart ? Start() : Restart();
  }

 private:
  absl::StatusOr<Plan> Install() {
    if (absl::Status s = RefuseForeign(layout_, found_); !s.ok()) return s;
    const bool changed = PlanFiles(layout_, found_, plan_);
    const bool signed_anew = Sign();
    if (changed && loaded_) Unload();
    if (loaded_ && signed_anew && found_.pid != 0) {
      EndAndStart();
    } else {
      LoadAndRun();
    }
    return plan_;
  }

  absl::StatusOr<Plan> Uninstall() {
    if (loaded_) Unload();
    for (const LayoutFile& file : layout_.files) {
      if (found_.files.contains(file.path)) plan_.steps.push_back(RemoveFileStep(file.path));
    }
    for (const std::string& path : layout_.left_over) {
      if (found_.left_over.contains(path)) plan_.steps.push_back(RemoveFileStep(path));
    }
    if (found_.folders.contains(layout_.runtime_dir)) {
      plan_.steps.push_back(RemoveFolderStep(layout_.runtime_dir));
    }
    if (plan_.steps.empty()) plan_.already.push_back("the service is not installed");
    for (const std::string& folder : layout_.kept) {
      if (found_.kept.contains(folder)) plan_.notes.push_back(absl::StrCat(folder, " stays"));
    }
    return plan_;
  }

  absl::StatusOr<Plan> Start() {
    if (absl::Status s = RefuseForeign(layout_, found_); !s.ok()) return s;
    LoadAndRun();
    return plan_;
  }

  absl::StatusOr<Plan> Stop() {
    if (loaded_) {
      Unload();
      plan_.notes.push_back("it comes back with anectl start, or at the next login");
    } else {
      plan_.already.push_back("the service is stopped");
    }
    return plan_;
  }

  absl::StatusOr<Plan> Restart() {
    if (absl::Status s = RefuseForeign(layout_, found_); !s.ok()) return s;
    if (loaded_ && found_.pid != 0) {
      EndAndStart();
    } else {
      LoadAndRun();
    }
    return plan_;
  }

  absl::StatusOr<Plan> Logs() {
    std::vector<std::string> command = {"tail", "-n", absl::StrCat(wish_.lines)};
    if (wish_.follow) command.push_back("-F");
    const size_t words = command.size();
    for (const std::string& path : layout_.logs) {
      if (found_.logs.contains(path)) command.push_back(path);
    }
    if (command.size() == words) {
      return absl::NotFoundError(absl::StrCat("there is no log yet at ", layout_.logs.front(),
                                              "; is the service installed and started?"));
    }
    plan_.steps.push_back(ShowStep(std::move(command)));
    return plan_;
  }

  // True if the program gets a signature.
  bool Sign() {
    const FoundSignature& has = found_.signature;
    const std::string signer = wish_.signer.value_or(has.authority.empty() ? "-" : has.authority);
    if (signer == "-") {
      plan_.notes.push_back(
          "signed ad hoc, every build is somebody new to aned, which compiles all kernels again "
          "for it; --sign IDENTITY with a certificate of your own keeps them");
    }
    if (has.valid && IsSignedBy(has, signer) && has.identifier == kAgentLabel) {
      plan_.already.push_back(absl::StrCat(wish_.anexd, " is signed as ", kAgentLabel, ", by ",
                                           has.ad_hoc ? "nobody (ad hoc)" : has.authority));
      return false;
    }
    plan_.steps.push_back(
        RunStep(SignCommand(signer),
                "aned refuses unsigned code, and keeps compiled programs apart by who signed",
                "the program and its folder must be writable for you (or be signed by who "
                "installed it), and the identity one that `security find-identity -p codesigning` "
                "lists, by its hash or a part of its name, or -"));
    return true;
  }

  // Without a certificate a program is known by the hash of its code, another one each build. The
  // requirement makes it known by its name to whoever asks by requirements.
  std::vector<std::string> SignCommand(const std::string& signer) const {
    std::vector<std::string> command = {"codesign", "--force",      "--sign",
                                        signer,     "--identifier", kAgentLabel};
    if (signer == "-") {
      command.push_back(
          absl::StrCat("--requirements==designated => identifier \"", kAgentLabel, "\""));
    }
    command.push_back(wish_.anexd);
    return command;
  }

  std::vector<std::string> Print() const { return {"launchctl", "print", job_}; }

  void Unload() {
    plan_.steps.push_back(
        RunStep({"launchctl", "bootout", job_}, "ends it and closes its sockets"));
    plan_.steps.push_back(WaitStep(Print(), "", kMostEndSeconds));  // it returns before that is so
    loaded_ = false;
  }

  void EndAndStart() {
    plan_.steps.push_back(
        RunStep({"launchctl", "kill", "SIGTERM", job_}, "clients that come now wait"));
    plan_.steps.push_back(
        WaitStep(Print(), absl::StrCat("pid = ", found_.pid, "\n"), kMostEndSeconds));
    Kickstart();
  }

  // One that runs already is left as it is, so a client may have been faster.
  void Kickstart() { plan_.steps.push_back(RunStep({"launchctl", "kickstart", job_}, "")); }

  void LoadAndRun() {
    if (!found_.enabled) {
      plan_.steps.push_back(
          RunStep({"launchctl", "enable", job_}, "it was disabled, which outlasts an uninstall"));
    }
    if (!loaded_) {
      plan_.steps.push_back(RunStep(
          {"launchctl", "bootstrap", domain_, layout_.files.front().path},
          "opens its sockets and starts it",
          absl::StrCat("launchd says little here; `plutil -lint ", layout_.files.front().path,
                       "` and `log show --last 2m --predicate 'process == \"launchd\"'` "
                       "may say more")));
    } else if (found_.pid == 0) {
      Kickstart();
    } else {
      plan_.already.push_back(absl::StrCat("the service runs, pid ", found_.pid));
    }
  }

  const ServiceWish& wish_;
  const Layout& layout_;
  const Found& found_;
  const std::string domain_, job_;
  bool loaded_;
  Plan plan_;
};

}  // namespace

absl::StatusOr<Plan> MakeLaunchdPlan(const ServiceWish& wish, const Layout& layout,
                                     const Found& found) {
  return LaunchdPlanner(wish, layout, found).Make();
}

}  // namespace anex::cli
