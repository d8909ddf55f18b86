// What somebody wants of the service: the verb, for whom, and with which program. A value; what it
// holds comes from the command line and the environment and is checked by LayoutOf.
#ifndef ANEX_CLIENT_CLI_SERVICE_SERVICE_WISH_H_
#define ANEX_CLIENT_CLI_SERVICE_SERVICE_WISH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace anex::cli {

enum class ServiceVerb : uint8_t { kInstall, kUninstall, kStart, kStop, kRestart, kLogs };
enum class ServiceManager : uint8_t { kLaunchd, kSystemd };

inline constexpr char kAgentLabel[] = "com.anexd.agent";  // of the job and of the code signature
inline constexpr char kServiceUnit[] = "anexd.service";
inline constexpr char kSocketUnit[] = "anexd.socket";

struct ServiceWish {
  ServiceVerb verb = ServiceVerb::kInstall;
  ServiceManager manager = ServiceManager::kSystemd;
  uint32_t uid = 0;
  std::string home;              // absolute
  std::string config_home;       // systemd: "" = HOME/.config
  std::string user_runtime_dir;  // systemd: where the user's sockets are; "" = not known
  std::string runtime_dir;       // launchd: "" = in HOME/Library
  std::string anexd;             // absolute path of the program
  // launchd: whose signature the program gets; "-" = ad hoc, nothing = any that is good, else ad
  // hoc.
  std::optional<std::string> signer;
  int lines = 100;  // of logs
  bool follow = false;
};

// The manager of this platform.
ServiceManager ServiceManagerHere();
std::string_view ServiceManagerName(ServiceManager manager);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_SERVICE_SERVICE_WISH_H_
