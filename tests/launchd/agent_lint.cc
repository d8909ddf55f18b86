#include "tests/launchd/agent_lint.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace anex::test {
namespace {

using cli::Json;

// The keys that an agent like ours may have, with their types: s(tring), i(nteger), b(oolean),
// d(ictionary), a(rray).
const std::map<std::string_view, std::string_view>& Keys() {
  static const auto& keys =
      *new std::map<std::string_view, std::string_view>{{"Label", "s"},
                                                        {"Program", "s"},
                                                        {"ProgramArguments", "a"},
                                                        {"Sockets", "d"},
                                                        {"MachServices", "d"},
                                                        {"KeepAlive", "bd"},
                                                        {"RunAtLoad", "b"},
                                                        {"ThrottleInterval", "i"},
                                                        {"ProcessType", "s"},
                                                        {"ExitTimeOut", "i"},
                                                        {"Umask", "is"},
                                                        {"StandardOutPath", "s"},
                                                        {"StandardErrorPath", "s"},
                                                        {"WorkingDirectory", "s"},
                                                        {"EnvironmentVariables", "d"},
                                                        {"LimitLoadToSessionType", "sa"},
                                                        {"SoftResourceLimits", "d"},
                                                        {"HardResourceLimits", "d"},
                                                        {"AssociatedBundleIdentifiers", "sa"}};
  return keys;
}

char TypeOf(const Json& value) {
  if (value.is_string()) return 's';
  if (value.is_boolean()) return 'b';
  if (value.is_number_integer()) return 'i';
  if (value.is_object()) return 'd';
  return value.is_array() ? 'a' : '?';
}

class Linter {
 public:
  explicit Linter(const Json& agent) : agent_(agent) {}

  std::vector<std::string> Lint() {
    for (const auto& [key, value] : agent_.items()) {
      const auto known = Keys().find(key);
      if (known == Keys().end()) {
        Say(key, "launchd knows no such key");
      } else if (known->second.find(TypeOf(value)) == known->second.npos) {
        Say(key, "has the wrong type");
      }
    }
    if (findings_.empty()) {
      Required();
      Sockets();
      Words();
      Paths();
    }
    return std::move(findings_);
  }

 private:
  void Say(const std::string& where, const std::string& what) {
    findings_.push_back(absl::StrCat(where, ": ", what));
  }
  // Named by its caller: the items of a temporary would outlive it.
  Json Dictionary(const char* key) const {
    const Json value = agent_.value(key, Json());
    return value.is_object() ? value : Json::object();
  }
  void Required() {
    for (const char* key : {"Label", "ProgramArguments"}) {
      if (!agent_.contains(key)) Say(key, "is missing");
    }
    const Json services = Dictionary("MachServices");
    for (const auto& [name, how] : services.items()) {
      if (how != true && !how.is_object()) Say(name, "a Mach service is true or a dictionary");
    }
  }
  void Sockets() {
    std::set<std::string> paths;
    const Json sockets = Dictionary("Sockets");
    for (const auto& [name, socket] : sockets.items()) {
      const std::string path = socket.value("SockPathName", "");
      if (path.empty()) Say(name, "has no SockPathName");
      if (path.size() > 103) Say(name, "SockPathName is over 103 bytes");
      if (!paths.insert(path).second) Say(name, "has another's SockPathName");
      if (socket.value("SockType", "stream") != "stream") Say(name, "SockType is not stream");
      if (!socket.contains("SockPathMode") || !socket["SockPathMode"].is_number_integer()) {
        Say(name, "SockPathMode is no integer");
      } else if (socket["SockPathMode"] != 0600) {
        Say(name, absl::StrCat("SockPathMode is ", socket["SockPathMode"].get<int>(),
                               ", and 0600 is 384: it is decimal"));
      }
      for (const auto& [key, value] : socket.items()) {
        if (key != "SockPathName" && key != "SockPathMode" && key != "SockType") {
          Say(name, absl::StrCat(key, " is nothing for a unix socket"));
        }
      }
    }
  }
  void Words() {
    const std::set<std::string> types = {"Background", "Standard", "Adaptive", "Interactive"};
    const std::string type = agent_.value("ProcessType", "Standard");
    if (!types.contains(type)) Say("ProcessType", "is none of launchd's");
    const Json alive = Dictionary("KeepAlive");
    for (const auto& [key, value] : alive.items()) {
      if (key != "SuccessfulExit" && key != "Crashed") Say("KeepAlive", key + " is not known");
      if (!value.is_boolean()) Say("KeepAlive", key + " is no boolean");
    }
    if (agent_.value("Umask", Json(63)) != 63) Say("Umask", "077 is 63: it is decimal");
  }
  // launchd expands nothing, and starts agents in /.
  void Paths() {
    std::vector<std::string> paths;
    for (const char* key : {"StandardErrorPath", "StandardOutPath", "WorkingDirectory"}) {
      if (agent_.contains(key)) paths.push_back(agent_[key]);
    }
    const Json words = agent_.value("ProgramArguments", Json::array());
    for (const Json& word : words) {
      if (!word.is_string()) {
        Say("ProgramArguments", "a word is no string");
      } else if (word.get<std::string>().find_first_of("/~$") != std::string::npos) {
        paths.push_back(word);
      }
    }
    const Json sockets = Dictionary("Sockets");
    for (const auto& [name, socket] : sockets.items()) {
      paths.push_back(socket.value("SockPathName", ""));
    }
    for (const std::string& path : paths) {
      if (path.starts_with("--") || path.empty()) continue;
      if (path.front() != '/' || path.find('$') != path.npos || path.find('@') != path.npos) {
        Say(path, "is no absolute path as launchd takes it");
      }
    }
  }

  const Json& agent_;
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> LintAgent(const Json& agent) { return Linter(agent).Lint(); }

}  // namespace anex::test
