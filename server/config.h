// What anexd is told: flags, one TOML file, and the environment's defaults; flags win. It is
// validated as a whole before anything starts, and everything that is wrong is said at once.
//
// Values, any thread. Invariant of a Config that came out of ParseCommandLine: all paths are
// absolute (cache_dir and log_file may be empty), printable UTF-8 and without a final slash;
// PrintConfig's text, read back, gives the same Config.
#ifndef ANEX_SERVER_CONFIG_H_
#define ANEX_SERVER_CONFIG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/engine/limits.h"
#include "server/engine/weights.h"
#include "server/log.h"

namespace anex::server {

struct Config {
  std::string runtime_dir;     // holds the sockets and the lock file
  std::string cache_dir;       // compiled kernels; "" = no disk cache
  std::string default_device;  // "" = the first one that this machine has
  int cpu_threads = 0;         // 0 = one per core
  double drain_timeout_s = 5;  // how long an orderly end waits for what is queued
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kAuto;
  LogFile log_file;                      // without a path: on standard error
  bool allow_global_iosurfaces = false;  // macOS: import by a number that anybody could guess
  std::string client_requirement;        // macOS: what clients' signatures must satisfy; "" = none
  engine::Limits limits;
  engine::Weights weights;
};

// What the configuration depends on besides the flags.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  uint32_t uid = 0;
  std::string version;
  std::vector<std::string> devices;  // names that default_device may have
  uint64_t memory_bytes = 0;         // of the machine, for the defaults of bounds; 0 = unknown
  std::string client_requirement;    // that a signed build comes with
};

// What the command line asks for.
struct CommandLine {
  Config config;
  // --help, --version, --print-config, --check-config: print this on standard output and end with
  // 0.
  std::optional<std::string> print;
};

// The configuration with nothing said: $XDG_RUNTIME_DIR/anexd, else anexd-UID in the temporary
// folder (where clients look by themselves, so relative ones count); $XDG_CACHE_HOME/anexd, else
// ~/.cache/anexd, else none (relative ones count as not set). An empty variable is not set.
Config DefaultConfig(const Surroundings& surroundings);

// `arguments` are without the program's name. INVALID_ARGUMENT lists all problems, one a line, each
// with the key, where it stands, what was found and what is legal.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const Surroundings& surroundings);

// `config` as a TOML file with comments.
std::string PrintConfig(const Config& config, const Surroundings& surroundings);

}  // namespace anex::server

#endif  // ANEX_SERVER_CONFIG_H_
