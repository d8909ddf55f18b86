#include "client/cli/service/look.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cli/child_output.h"
#include "client/cli/exit_code.h"
#include "client/cli/output/text.h"
#include "client/cli/service/signer.h"
#include "proto/shm/owned_descriptor.h"

namespace anex::cli {
namespace {

absl::Status InTheWay(const std::string& path, const char* what) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, " is there and is no ", what, "; move it away first"));
}

absl::Status LookAtFiles(const Layout& layout, Found& found) {
  struct stat st {};
  for (const LayoutFolder& folder : layout.folders) {
    if (::stat(folder.path.c_str(), &st) != 0) continue;
    if (!S_ISDIR(st.st_mode)) return InTheWay(folder.path, "folder");
    found.folders[folder.path] = st.st_mode & 07777;
  }
  for (const LayoutFile& file : layout.files) {
    if (::lstat(file.path.c_str(), &st) != 0) continue;
    if (!S_ISREG(st.st_mode)) return InTheWay(file.path, "regular file");
    std::ostringstream content;
    content << std::ifstream(file.path, std::ios::binary).rdbuf();
    found.files[file.path] = {content.str(), st.st_mode & 07777u};
  }
  for (const std::string& path : layout.left_over) {
    if (::lstat(path.c_str(), &st) == 0) found.left_over.insert(path);
  }
  for (const std::string& path : layout.kept) {
    if (::lstat(path.c_str(), &st) == 0) found.kept.insert(path);
  }
  for (const std::string& path : layout.logs) {
    if (::stat(path.c_str(), &st) == 0) found.logs.insert(path);
  }
  return absl::OkStatus();
}

// The first line that says something.
std::string FirstLine(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) return Harmless(line);
  }
  return "no reason given";
}

std::string ByHand(const ServiceWish& wish) {
  return absl::StrCat("or run anexd by hand: ", wish.anexd.empty() ? "anexd" : wish.anexd);
}

void AskSystemd(const ServiceWish& wish, Found& found) {
  const absl::StatusOr<ChildOutput> said =
      RunChild({"systemctl", "--user", "show",
                "--property=Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,MainPID",
                kSocketUnit, kServiceUnit});
  if (!said.ok()) {
    found.manager_problem =
        absl::StrCat("this machine has no systemctl, so no systemd; use its own service manager, ",
                     ByHand(wish));
  } else if (said->exit_code != 0) {
    found.manager_problem = absl::StrCat(
        "the systemd user manager does not answer (", FirstLine(said->text),
        "); use a login of its own (su and sudo have none), or let it run without one: loginctl ",
        "enable-linger, ", ByHand(wish));
  } else {
    ReadSystemctlShow(said->text, found);
  }
}

void AskLaunchd(const ServiceWish& wish, Found& found) {
  const std::string domain = absl::StrCat("gui/", wish.uid);
  const absl::StatusOr<ChildOutput> job =
      RunChild({"launchctl", "print", absl::StrCat(domain, "/", kAgentLabel)});
  if (!job.ok()) {
    found.manager_problem = absl::StrCat("this machine has no launchctl, so no launchd; ",
                                         "--manager systemd may be what it has, ", ByHand(wish));
    return;
  }
  if (job->exit_code == 0) ReadLaunchctlPrint(job->text, found);
  const absl::StatusOr<ChildOutput> disabled = RunChild({"launchctl", "print-disabled", domain});
  if (!disabled.ok() || disabled->exit_code != 0) {
    // Without the job this is how a domain that is not there shows.
    found.manager_problem = absl::StrCat(
        "launchd has no graphical login of user ", wish.uid, " (",
        FirstLine(disabled.ok() ? disabled->text : job->text),
        "); log in at the screen or by screen sharing first, without sudo, ", ByHand(wish));
    return;
  }
  found.enabled = !IsDisabled(disabled->text, kAgentLabel);
}

// codesign writes the certificates of a signature to files, the signer's own first. A name is no
// more than what somebody called a certificate: who asks by hash means one certificate.
std::string AskFingerprint(const std::string& program) {
  std::string folder = (std::filesystem::temp_directory_path() / "anectl.XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return "";
  const absl::StatusOr<ChildOutput> said = RunChild(
      {"codesign", "--display", absl::StrCat("--extract-certificates=", folder, "/c"), program});
  std::ostringstream certificate;
  if (said.ok() && said->exit_code == 0) {
    certificate << std::ifstream(folder + "/c0", std::ios::binary).rdbuf();
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return certificate.str().empty() ? "" : FingerprintOf(certificate.str());
}

FoundSignature AskCodesign(const ServiceWish& wish) {
  const absl::StatusOr<ChildOutput> shown =
      RunChild({"codesign", "--display", "--verbose=2", wish.anexd});
  if (!shown.ok() || shown->exit_code != 0) return {};
  FoundSignature signature = ReadCodesign(shown->text);
  const absl::StatusOr<ChildOutput> verified = RunChild({"codesign", "--verify", wish.anexd});
  signature.valid = verified.ok() && verified->exit_code == 0;
  if (!signature.authority.empty() && IsFingerprint(wish.signer.value_or(""))) {
    signature.fingerprint = AskFingerprint(wish.anexd);
  }
  return signature;
}

// Somebody listens at `path`.
bool Answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const shm::OwnedDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  return socket.valid() &&
         ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// By starting it with flags of the service: another program, or one that is too old, says so now
// and not in a log later.
absl::Status TryProgram(const ServiceWish& wish) {
  const absl::StatusOr<ChildOutput> said =
      RunChild({wish.anexd, "--drain-timeout=10", "--log-file=/dev/null", "--check-config"});
  if (!said.ok()) {
    return LocalProblem(absl::NotFoundError(
        absl::StrCat(std::string(said.status().message()), "; name the daemon with --anexd PATH")));
  }
  if (said->exit_code == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(wish.anexd, " does not take the service's flags (", FirstLine(said->text),
                   "); name the anexd of this anectl with --anexd PATH"));
}

}  // namespace

absl::StatusOr<Found> Look(const ServiceWish& wish, const Layout& layout) {
  Found found;
  if (wish.verb == ServiceVerb::kInstall) {
    if (absl::Status s = TryProgram(wish); !s.ok()) return s;
  }
  if (absl::Status s = LookAtFiles(layout, found); !s.ok()) return s;
  if (wish.verb == ServiceVerb::kLogs) return found;
  if (wish.manager == ServiceManager::kLaunchd) {
    AskLaunchd(wish, found);
    if (wish.verb == ServiceVerb::kInstall) found.signature = AskCodesign(wish);
  } else {
    AskSystemd(wish, found);
  }
  // A connection to a manager's socket would start the daemon, so only where it has none open.
  found.foreign = found.manager_problem.empty() && !found.listening && found.pid == 0 &&
                  !layout.runtime_dir.empty() && Answers(layout.runtime_dir + "/anexd.sock");
  return found;
}

}  // namespace anex::cli
