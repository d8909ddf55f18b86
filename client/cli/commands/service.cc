#include "client/cli/commands/service.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/output/text.h"
#include "client/cli/service/carry_out.h"
#include "client/cli/service/look.h"
#include "client/cli/service/plan.h"

namespace anex::cli {
namespace {

namespace fs = std::filesystem;

struct ServiceOptions {
  ServiceWish wish;
  std::string anexd, signer, manager;
  bool dry_run = false;
};

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsProgram(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

// Links are kept: what an upgrade moves them to is the program then.
std::string Absolute(const fs::path& path) {
  std::error_code error;
  return fs::absolute(path, error).lexically_normal().string();
}

// In the folders of $PATH; "" if it is in none.
std::string InPath(const std::string& name) {
  std::istringstream folders(Environment("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path path = fs::path(folder.empty() ? "." : folder) / name;
    if (IsProgram(path)) return Absolute(path);
  }
  return "";
}

// The anexd that lies beside this anectl, else the one in $PATH; "" if there is none.
std::string BelongingAnexd(const Context& context) {
  const bool has_path = context.program.find('/') != std::string::npos;
  const std::string self = has_path ? Absolute(context.program) : InPath(context.program);
  if (!self.empty()) {
    const fs::path beside = fs::path(self).parent_path() / "anexd";
    if (IsProgram(beside)) return beside.string();
  }
  return InPath("anexd");
}

absl::StatusOr<ServiceWish> WishOf(const Context& context, const ServiceOptions& options,
                                   ServiceVerb verb) {
  ServiceWish wish = options.wish;
  wish.verb = verb;
  wish.manager =
      options.manager.empty()
          ? ServiceManagerHere()
          : (options.manager == "launchd" ? ServiceManager::kLaunchd : ServiceManager::kSystemd);
  wish.uid = ::geteuid();
  wish.home = Environment("HOME");
  wish.config_home = Environment("XDG_CONFIG_HOME");
  wish.user_runtime_dir = Environment("XDG_RUNTIME_DIR");
  if (!wish.runtime_dir.empty()) wish.runtime_dir = Absolute(wish.runtime_dir);
  if (!options.signer.empty()) wish.signer = options.signer;
  wish.anexd = options.anexd.empty() ? BelongingAnexd(context) : Absolute(options.anexd);
  if (verb == ServiceVerb::kInstall && wish.anexd.empty()) {
    return absl::NotFoundError("there is no anexd beside this anectl; name it with --anexd PATH");
  }
  return wish;
}

constexpr const char* NameOf(ServiceVerb verb) {
  switch (verb) {
    case ServiceVerb::kInstall:
      return "install";
    case ServiceVerb::kUninstall:
      return "uninstall";
    case ServiceVerb::kStart:
      return "start";
    case ServiceVerb::kStop:
      return "stop";
    case ServiceVerb::kRestart:
      return "restart";
    case ServiceVerb::kLogs:
      return "logs";
  }
  return "?";
}

void Say(Context& context, const std::string& line) {
  if (!context.globals.json) context.out << Harmless(line) << std::endl;  // before what takes long
}

// Said as it is done, so that what takes long is no riddle.
absl::Status DoIt(Context& context, const Plan& plan, bool dry_run) {
  for (const std::string& sentence : plan.already) Say(context, "already so: " + sentence);
  for (const Step& step : plan.steps) {
    const bool shows = step.kind == Step::Kind::kShow;
    if (dry_run || !shows) Say(context, (dry_run ? "would " : "") + DescribeStep(step));
    if (dry_run) continue;
    if (absl::Status s = CarryOut(step); !s.ok()) return s;
  }
  for (const std::string& note : plan.notes) Say(context, "note: " + note);
  return absl::OkStatus();
}

absl::StatusOr<int> RunService(Context& context, const ServiceOptions& options, ServiceVerb verb) {
  const absl::StatusOr<ServiceWish> wish = WishOf(context, options, verb);
  if (!wish.ok()) return wish.status();
  const absl::StatusOr<Layout> layout = LayoutOf(*wish);
  if (!layout.ok()) return UsageProblem(layout.status());
  const absl::StatusOr<Found> found = Look(*wish, *layout);
  if (!found.ok()) return found.status();
  const absl::StatusOr<Plan> plan = MakePlan(*wish, *layout, *found);
  if (!plan.ok()) return plan.status();
  if (absl::Status s = DoIt(context, *plan, options.dry_run); !s.ok()) return s;
  if (context.globals.json && (options.dry_run || verb != ServiceVerb::kLogs)) {
    Json json{{"verb", NameOf(verb)},
              {"manager", ServiceManagerName(wish->manager)},
              {"dry_run", options.dry_run}};
    json.update(ToJson(*plan));
    context.out << Dump(json);
  }
  return kExitOk;
}

std::shared_ptr<ServiceOptions> AddVerb(CLI::App& root, Chosen& chosen, ServiceVerb verb,
                                        const std::string& what, const std::string& example,
                                        CLI::App*& command) {
  auto options = std::make_shared<ServiceOptions>();
  command =
      AddCommand(root, NameOf(verb), what, example, chosen,
                 [options, verb](Context& context) { return RunService(context, *options, verb); });
  command->add_flag("--dry-run", options->dry_run, "Says what would be done and does nothing");
  command
      ->add_option("--manager", options->manager,
                   "launchd or systemd; the default is this platform's")
      ->type_name("NAME")
      ->check(CLI::IsMember({"launchd", "systemd"}));
  command
      ->add_option("--runtime-dir", options->wish.runtime_dir,
                   "launchd: folder of the sockets, if that below ~/Library is too long")
      ->type_name("PATH");
  return options;
}

void AddInstall(CLI::App& root, Chosen& chosen) {
  CLI::App* command = nullptr;
  const auto options = AddVerb(
      root, chosen, ServiceVerb::kInstall,
      "Makes the daemon a service of this user, and starts it: with launchd or systemd. Again, it "
      "changes only what is not as it should be",
      "anectl install --dry-run", command);
  command->add_option("--anexd", options->anexd, "The daemon's program; default: beside anectl")
      ->type_name("PATH");
  command
      ->add_option("--sign", options->signer,
                   "launchd: who signs the program; - is ad hoc. aned refuses unsigned code and "
                   "keeps its compiled programs apart by who signed, so that a certificate of "
                   "one's own keeps them over updates. Default: as it is signed, else ad hoc")
      ->type_name("IDENTITY");
}

void AddLogs(CLI::App& root, Chosen& chosen) {
  CLI::App* command = nullptr;
  const auto options = AddVerb(root, chosen, ServiceVerb::kLogs, "Shows the service's log",
                               "anectl logs --follow", command);
  command->add_option("-n,--lines", options->wish.lines, "How many of its last lines")
      ->check(CLI::Range(0, 1'000'000))
      ->option_text("N=100");
  command->add_flag("-f,--follow", options->wish.follow, "And those that come, until Ctrl-C");
}

}  // namespace

void AddServiceCommands(CLI::App& root, Chosen& chosen) {
  CLI::App* command = nullptr;
  AddInstall(root, chosen);
  AddVerb(root, chosen, ServiceVerb::kUninstall,
          "Ends the service and takes away what install made; logs and caches stay",
          "anectl uninstall --dry-run", command);
  AddVerb(root, chosen, ServiceVerb::kStart, "Opens the service's sockets and starts the daemon",
          "anectl start", command);
  AddVerb(root, chosen, ServiceVerb::kStop,
          "Ends the daemon and closes its sockets, until start or the next login", "anectl stop",
          command);
  AddVerb(root, chosen, ServiceVerb::kRestart,
          "Ends the daemon in order and starts it; clients that come meanwhile wait",
          "anectl restart", command);
  AddLogs(root, chosen);
}

}  // namespace anex::cli
