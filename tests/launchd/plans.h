// What the tests of plans share: how a plan reads in a line a step. Pure functions.
#ifndef ANEX_TESTS_LAUNCHD_PLANS_H_
#define ANEX_TESTS_LAUNCHD_PLANS_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/service/plan.h"

namespace anex::cli {

inline std::string Brief(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kMakeFolder:
      return absl::StrFormat("mkdir %o %s", step.mode, step.path);
    case Step::Kind::kSetMode:
      return absl::StrFormat("chmod %o %s", step.mode, step.path);
    case Step::Kind::kWriteFile:
      return absl::StrFormat("write %o %s", step.mode, step.path);
    case Step::Kind::kRemoveFile:
      return absl::StrCat("rm ", step.path);
    case Step::Kind::kRemoveFolder:
      return absl::StrCat("rmdir ", step.path);
    case Step::Kind::kRun:
      return ShellWords(step.command);
    case Step::Kind::kShow:
      return absl::StrCat("show ", ShellWords(step.command));
    case Step::Kind::kWait:
      return absl::StrCat("wait ",
                          step.until_not_said.empty() ? "gone" : "not:", step.until_not_said);
  }
  return "?";
}

inline std::vector<std::string> Briefly(const absl::StatusOr<Plan>& plan) {
  if (!plan.ok()) return {plan.status().ToString()};
  std::vector<std::string> lines;
  for (const Step& step : plan->steps) lines.push_back(Brief(step));
  return lines;
}

// As Look would find it once all files and folders are as `layout` has them.
inline Found FilesInPlace(const Layout& layout) {
  Found found;
  for (const LayoutFile& file : layout.files) found.files[file.path] = {file.content, file.mode};
  for (const LayoutFolder& folder : layout.folders) found.folders[folder.path] = folder.mode;
  for (const std::string& path : layout.kept) found.kept.insert(path);
  return found;
}

}  // namespace anex::cli

#endif  // ANEX_TESTS_LAUNCHD_PLANS_H_
