#include "client/cli/service/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace anex::cli {
namespace {

// Who is not installed and has no manager has nothing to take away, and logs are files or their
// own program's.
bool NeedsManager(const ServiceWish& wish, const Layout& layout, const Found& found) {
  if (wish.verb == ServiceVerb::kLogs) return false;
  return wish.verb != ServiceVerb::kUninstall || AnyFile(layout, found);
}

}  // namespace

std::string_view ServiceManagerName(ServiceManager manager) {
  return manager == ServiceManager::kLaunchd ? "launchd" : "systemd";
}

bool PlanFiles(const Layout& layout, const Found& found, Plan& plan) {
  for (const LayoutFolder& folder : layout.folders) {
    const auto there = found.folders.find(folder.path);
    if (there == found.folders.end()) {
      plan.steps.push_back(MakeFolderStep(folder.path, folder.mode));
    } else if (folder.ours && there->second != folder.mode) {
      plan.steps.push_back(SetModeStep(folder.path, folder.mode));
    }
  }
  bool changed = false;
  for (const LayoutFile& file : layout.files) {
    const auto there = found.files.find(file.path);
    const bool same = there != found.files.end() && there->second.content == file.content;
    if (same && there->second.mode == file.mode) {
      plan.already.push_back(absl::StrCat(file.path, " is as it should be"));
      continue;
    }
    plan.steps.push_back(WriteFileStep(file.path, file.mode, file.content));
    changed = changed || !same;
  }
  return changed;
}

bool AnyFile(const Layout& layout, const Found& found) {
  return std::ranges::any_of(
      layout.files, [&](const LayoutFile& file) { return found.files.contains(file.path); });
}

absl::Status NotInstalled() {
  return absl::FailedPreconditionError(
      "the service is not installed; run: anectl install (with --dry-run to see what that does)");
}

absl::Status RefuseForeign(const Layout& layout, const Found& found) {
  if (!found.foreign) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("an anexd that was started by hand answers at ", layout.runtime_dir,
                   "/anexd.sock, and the service would take its place from it; end it first "
                   "(anectl drain, then ",
                   "SIGTERM to the pid that anectl status shows)"));
}

absl::StatusOr<Plan> MakePlan(const ServiceWish& wish, const Layout& layout, const Found& found) {
  if (!found.manager_problem.empty() && NeedsManager(wish, layout, found)) {
    return absl::FailedPreconditionError(found.manager_problem);
  }
  return wish.manager == ServiceManager::kLaunchd ? MakeLaunchdPlan(wish, layout, found)
                                                  : MakeSystemdPlan(wish, layout, found);
}

}  // namespace anex::cli
