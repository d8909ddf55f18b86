#include "server/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/shm/owned_descriptor.h"
#include "server/mil/nearest_name.h"
#include "server/settings.h"

namespace anex::server {
namespace {

constexpr size_t kMostFileBytes = 1u << 20;  // a full file with comments has 4 KiB
constexpr size_t kMostProblems = 100;
constexpr size_t kMostNameBytes = 64;  // of a client, as at Open

std::string DidYouMean(std::string_view name, const std::vector<std::string>& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string hint = mil::DidYouMean(name, views);
  return hint.empty() ? "" : absl::StrCat("; ", hint);
}

// What was read so far, and all that was wrong with it.
class Reader {
 public:
  explicit Reader(const Surroundings& surroundings)
      : settings_(AllSettings(surroundings)), config_(DefaultConfig(surroundings)) {}

  const std::vector<Setting>& settings() const { return settings_; }
  const Config& config() const { return config_; }
  void Problem(std::string line) { problems_.push_back(std::move(line)); }

  void Set(const std::string& name, const Value& value, const std::string& where) {
    for (const Setting& setting : settings_) {
      if (setting.name != name) continue;
      if (!setting.set(config_, value)) NotLegal(name, value, where, setting.legal);
      return;
    }
    Unknown("key", name, where, KeyNames());
  }

  void SetLimit(const std::string& name, const Value& value, const std::string& where) {
    const std::string legal = LegalLimit(name);
    if (legal.empty()) return Unknown("limit", name, where, LimitNames());
    if (!value.integer || *value.integer < 0 ||
        !config_.limits.Set(name, static_cast<uint64_t>(*value.integer)).ok()) {
      NotLegal(absl::StrCat("limits.", name), value, where, legal);
    }
  }

  // Shares of the device: of users by uid, of sessions by client name.
  void SetUserWeight(const std::string& uid, const Value& value, const std::string& where) {
    uint32_t number = 0;
    if (!absl::SimpleAtoi(uid, &number)) {
      return Problem(absl::StrCat("user_weights (", where, "): found ", Quoted(uid),
                                  ", must be named by uid, e.g. 501"));
    }
    SetWeight("user_weights", uid, config_.weights.users[number], value, where);
  }
  void SetSessionWeight(const std::string& name, const Value& value, const std::string& where) {
    if (name.empty() || name.size() > kMostNameBytes || !IsPrintableUtf8(name)) {
      return Problem(absl::StrCat("session_weights (", where, "): found ", Quoted(name),
                                  ", must be a client name of 1 to ", kMostNameBytes,
                                  " bytes of printable UTF-8"));
    }
    SetWeight("session_weights", name, config_.weights.sessions[name], value, where);
  }

  void NotLegal(const std::string& key, const Value& value, const std::string& where,
                const std::string& legal) {
    Problem(absl::StrCat(key, " (", where, "): found ", value.shown, ", must be ", legal));
  }
  void Unknown(const std::string& noun, std::string_view name, const std::string& where,
               const std::vector<std::string>& names) {
    Problem(absl::StrCat(Quoted(name), " (", where, "): there is no ", noun, " of this name",
                         DidYouMean(name, names)));
  }

  absl::Status status() const {
    if (problems_.empty()) return absl::OkStatus();
    const size_t shown = std::min(problems_.size(), kMostProblems);
    std::string text = absl::StrCat(
        problems_.size() == 1 ? "1 problem" : absl::StrCat(problems_.size(), " problems"),
        " in flags and configuration:");
    for (size_t i = 0; i < shown; ++i) absl::StrAppend(&text, "\n  ", problems_[i]);
    if (shown < problems_.size()) {
      absl::StrAppend(&text, "\n  and ", problems_.size() - shown, " more");
    }
    return absl::InvalidArgumentError(text);
  }

 private:
  void SetWeight(const std::string& table, const std::string& whose, uint32_t& weight,
                 const Value& value, const std::string& where) {
    if (!value.integer || *value.integer < 1 || *value.integer > engine::kMostWeight) {
      return NotLegal(absl::StrCat(table, ".", whose), value, where,
                      absl::StrCat("a whole number from 1 to ", engine::kMostWeight));
    }
    weight = static_cast<uint32_t>(*value.integer);
  }
  std::vector<std::string> KeyNames() const {
    std::vector<std::string> names = {"limits", "user_weights", "session_weights"};
    for (const Setting& setting : settings_) names.push_back(setting.name);
    return names;
  }
  static std::vector<std::string> LimitNames() {
    std::vector<std::string> names;
    for (const LimitInfo& limit : engine::Limits().List()) names.push_back(limit.name);
    return names;
  }

  const std::vector<Setting> settings_;
  Config config_;
  std::vector<std::string> problems_;
};

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  if (path.find('\0') != std::string::npos) return absl::InvalidArgumentError("bad path");
  // Non-blocking: a named pipe must not hold the daemon up.
  const shm::OwnedDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return absl::NotFoundError(strerror(errno));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return absl::InternalError(strerror(errno));
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError("is no regular file");
  std::string text(kMostFileBytes + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::InternalError(strerror(errno));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > kMostFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("is longer than ", kMostFileBytes, " bytes; a configuration is not"));
  }
  text.resize(size);
  return text;
}

Value FromToml(const toml::node& node) {
  Value value;
  if (const auto* text = node.as_string()) {
    value.text = text->get();
    value.shown = Quoted(text->get());
  } else if (const auto* integer = node.as_integer()) {
    value.integer = integer->get();
    value.number = static_cast<double>(integer->get());
    value.shown = absl::StrCat(integer->get());
  } else if (const auto* number = node.as_floating_point()) {
    value.number = number->get();
    value.shown = PrintNumber(number->get());
  } else if (const auto* flag = node.as_boolean()) {
    value.truth = flag->get();
    value.shown = flag->get() ? "true" : "false";
  } else {
    value.shown = node.is_table() ? "a table" : node.is_array() ? "a list" : "a date or time";
  }
  return value;
}

// The tables of the file: how each of their entries is taken, and what they are called.
struct TableKey {
  std::string_view name;
  void (Reader::*set)(const std::string& name, const Value& value, const std::string& where);
  std::string legal;
};
const std::vector<TableKey>& Tables() {
  static const auto& tables = *new std::vector<TableKey>{
      {"limits", &Reader::SetLimit, "a table of limits"},
      {"user_weights", &Reader::SetUserWeight, "a table of weights by uid"},
      {"session_weights", &Reader::SetSessionWeight, "a table of weights by client name"}};
  return tables;
}

void ReadTable(Reader& reader, const TableKey& table, const toml::node& node,
               const std::string& file, const std::string& where) {
  const toml::table* entries = node.as_table();
  if (entries == nullptr) {
    return reader.NotLegal(std::string(table.name), FromToml(node), where, table.legal);
  }
  for (const auto& [key, entry] : *entries) {
    (reader.*table.set)(std::string(key.str()), FromToml(entry),
                        absl::StrCat(file, ":", key.source().begin.line));
  }
}

void ReadToml(Reader& reader, const std::string& path) {
  const std::string file = absl::Utf8SafeCHexEscape(path);
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) {
    return reader.Problem(
        absl::StrCat("--config ", file, ": ",
                     std::string(text.status().message().data(), text.status().message().size())));
  }
  try {
    const toml::table table = toml::parse(std::string_view(*text));
    for (const auto& [key, node] : table) {
      const std::string where = absl::StrCat(file, ":", key.source().begin.line);
      const auto named = std::find_if(Tables().begin(), Tables().end(),
                                      [&](const TableKey& one) { return one.name == key.str(); });
      if (named != Tables().end()) {
        ReadTable(reader, *named, node, file, where);
      } else {
        reader.Set(std::string(key.str()), FromToml(node), where);
      }
    }
  } catch (const toml::parse_error& error) {
    reader.Problem(absl::StrCat(file, ":", error.source().begin.line, ":",
                                error.source().begin.column, ": ",
                                absl::Utf8SafeCHexEscape(std::string(error.description()))));
  }
}

Value FromFlag(const std::string& text) {
  Value value;
  value.from_flag = true;
  value.text = text;
  value.shown = Quoted(text);
  int64_t integer = 0;
  double number = 0;
  if (absl::SimpleAtoi(text, &integer)) value.integer = integer;
  if (absl::SimpleAtod(text, &number)) value.number = number;
  if (text == "true" || text == "false") value.truth = text == "true";
  return value;
}

// The flags as they were written; nothing in them is checked yet.
struct Flags {
  std::vector<std::string> values;  // of each setting, in their order
  std::vector<const CLI::Option*> options;
  std::string config;
  std::vector<std::string> limits, user_weights, session_weights;
  bool print_config = false, check_config = false;
};

void DeclareFlags(CLI::App& app, Flags& flags, const Reader& reader) {
  const size_t count = reader.settings().size();
  flags.values.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const Setting& setting = reader.settings()[i];
    flags.options.push_back(
        app.add_option(FlagOf(setting.name), flags.values[i],
                       absl::StrCat(setting.help, " [", setting.print(reader.config()), "]"))
            ->type_name("VALUE"));
  }
  const auto repeated = [&app](const char* flag, std::vector<std::string>& values, const char* help,
                               const char* type) {
    app.add_option(flag, values, help)
        ->type_name(type)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  repeated("--limit", flags.limits, "Sets a bound; may be repeated. --print-config lists them.",
           "NAME=VALUE");
  repeated("--user-weight", flags.user_weights,
           "A user's share among users, 1 to 1000; may be repeated. [1]", "UID=WEIGHT");
  repeated("--session-weight", flags.session_weights,
           "A client's share among its user's; may be repeated. [what it asks for]",
           "CLIENT=WEIGHT");
  app.add_option("--config", flags.config, "Reads a TOML file first; flags win.")
      ->type_name("PATH");
  app.add_flag("--print-config", flags.print_config,
               "Prints the effective configuration and ends.");
  app.add_flag("--check-config", flags.check_config,
               "Says whether flags and file are good and ends.");
  app.allow_extras();
}

void ReadFlags(Reader& reader, const Flags& flags) {
  for (size_t i = 0; i < flags.values.size(); ++i) {
    if (flags.options[i]->count() == 0) continue;
    const std::string name = reader.settings()[i].name;
    reader.Set(name, FromFlag(flags.values[i]), FlagOf(name));
  }
  const auto take = [&reader](const TableKey& table, const std::string& flag,
                              const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      const size_t equals = word.rfind('=');  // a client's name may hold one
      if (equals == std::string::npos) {
        reader.NotLegal(std::string(table.name), FromFlag(word), flag, "NAME=VALUE");
      } else {
        (reader.*table.set)(word.substr(0, equals), FromFlag(word.substr(equals + 1)), flag);
      }
    }
  };
  take(Tables()[0], "--limit", flags.limits);
  take(Tables()[1], "--user-weight", flags.user_weights);
  take(Tables()[2], "--session-weight", flags.session_weights);
}

// What CLI11 left over. The word after an unknown flag is taken for its value.
void ReadLeftOvers(Reader& reader, const std::vector<std::string>& words) {
  std::vector<std::string> known = {"--config",         "--limit",        "--user-weight",
                                    "--session-weight", "--print-config", "--check-config",
                                    "--help",           "--version"};
  for (const Setting& setting : reader.settings()) known.push_back(FlagOf(setting.name));
  bool value_may_follow = false;
  for (const std::string& word : words) {
    const bool flag = word.size() > 1 && word[0] == '-';
    const std::string name = word.substr(0, word.find('='));
    if (flag) {
      reader.Unknown("flag", name, "command line", known);
    } else if (!value_may_follow) {
      reader.Problem(absl::StrCat(Quoted(word), " (command line): anexd takes flags only"));
    }
    value_may_follow = flag && name == word;
  }
}

constexpr const char* kFooter =
    "Example: a daemon of its own for a test, with a small queue and no disk cache:\n"
    "  anexd --runtime-dir /tmp/try --cache-dir \"\" --limit lane_depth=16\n"
    "A file to start from:\n"
    "  anexd --print-config > anexd.toml\n"
    "SIGTERM or SIGINT: an orderly end within --drain-timeout; a second one: at once.\n"
    "SIGHUP: reads flags and file again; limits, weights and the log level hold from then on. A "
    "bad\n"
    "file changes nothing and the log says why.\n"
    "Exit codes: 0 orderly end, 1 failed start, 2 bad flags or configuration, 3 another anexd\n"
    "has the runtime folder.";

// A variable that names a folder, else "".
std::string PathVariable(const Surroundings& surroundings, const std::string& name,
                         bool may_be_relative) {
  if (!surroundings.environment) return "";
  Value found;
  found.text = surroundings.environment(name);
  found.from_flag = may_be_relative;
  return LegalPath(found).value_or("");
}

std::string Below(const std::string& parent, const std::string& name) {
  return parent == "/" ? "/" + name : absl::StrCat(parent, "/", name);
}

}  // namespace

Config DefaultConfig(const Surroundings& surroundings) {
  Config config;
  config.limits = engine::Limits::ForMemory(surroundings.memory_bytes);
  config.client_requirement = surroundings.client_requirement;
  // Where clients look: they take these two as they are, relative ones too.
  const std::string runtime = PathVariable(surroundings, "XDG_RUNTIME_DIR", true);
  const std::string temporary = PathVariable(surroundings, "TMPDIR", true);
  config.runtime_dir = !runtime.empty() ? Below(runtime, "anexd")
                                        : Below(temporary.empty() ? "/tmp" : temporary,
                                                absl::StrCat("anexd-", surroundings.uid));
  // The XDG rule: a relative one counts as not set.
  const std::string cache = PathVariable(surroundings, "XDG_CACHE_HOME", false);
  const std::string home = PathVariable(surroundings, "HOME", false);
  if (!cache.empty()) {
    config.cache_dir = Below(cache, "anexd");
  } else if (!home.empty()) {
    config.cache_dir = Below(home, ".cache/anexd");
  }
  return config;
}

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const Surroundings& surroundings) {
  CommandLine line;
  Reader reader(surroundings);
  CLI::App app("anexd: the one process that owns this machine's neural engine", "anexd");
  app.footer(kFooter);
  app.set_version_flag("--version", absl::StrCat("anexd ", surroundings.version));
  Flags flags;
  DeclareFlags(app, flags, reader);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    line.print = app.help();
    return line;
  } catch (const CLI::CallForVersion& version) {
    line.print = absl::StrCat(version.what(), "\n");
    return line;
  } catch (const CLI::Error& error) {
    reader.Problem(absl::Utf8SafeCHexEscape(error.what()));
  }
  if (app.count("--config") != 0) ReadToml(reader, flags.config);
  ReadFlags(reader, flags);
  ReadLeftOvers(reader, app.remaining());
  if (absl::Status status = reader.status(); !status.ok()) return status;
  line.config = reader.config();
  if (flags.print_config) line.print = PrintConfig(line.config, surroundings);
  if (flags.check_config) line.print = "The configuration is good.\n";
  return line;
}

std::string PrintConfig(const Config& config, const Surroundings& surroundings) {
  std::string text =
      absl::StrCat("# The configuration of anexd ", surroundings.version, " as it is in effect.\n");
  for (const Setting& setting : AllSettings(surroundings)) {
    absl::StrAppend(&text, "\n# ", setting.help, "\n", setting.name, " = ", setting.print(config),
                    "\n");
  }
  absl::StrAppend(
      &text, "\n# Bounds. A refusal names the bound and its value. If not set, surface_bytes is a ",
      "half of\n# the memory that the machine (or its container) has, kernel_bytes and ",
      "upload_bytes a\n# quarter each, and one session may have a half of each.\n[limits]\n");
  for (const LimitInfo& limit : config.limits.List()) {
    absl::StrAppend(&text, "# ", limit.help, "; ", LegalLimit(limit.name), "\n", limit.name, " = ",
                    limit.value, "\n");
  }
  absl::StrAppend(&text, "\n# Shares of the device's time among users, by uid; 1 to ",
                  engine::kMostWeight, ", 1 if not named.\n[user_weights]\n");
  for (const auto& [uid, weight] : config.weights.users) {
    absl::StrAppend(&text, uid, " = ", weight, "\n");
  }
  absl::StrAppend(&text,
                  "\n# Shares among one user's sessions, by client name; what the client asks ",
                  "for, up to asked_weight, if not named.\n[session_weights]\n");
  for (const auto& [name, weight] : config.weights.sessions) {
    absl::StrAppend(&text, PrintText(name), " = ", weight, "\n");
  }
  return text;
}

}  // namespace anex::server
