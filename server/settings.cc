#include "server/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace anex::server {
namespace {

constexpr size_t kMostPath = 4096;
constexpr size_t kMostRequirement = 8192;
constexpr int64_t kMostThreads = 1024;
constexpr double kMostDrainSeconds = 3600;
constexpr int64_t kLeastLogFile = 64 << 10;  // a line may have 4 KiB a value
constexpr int64_t kMostLogFile = int64_t{1} << 40;
constexpr int64_t kMostLogFiles = 1000;

template <typename Enum>
std::optional<Enum> Choice(const Value& value, std::initializer_list<Enum> choices,
                           std::string_view (*name)(Enum)) {
  for (const Enum choice : choices) {
    if (value.text == name(choice)) return choice;
  }
  return std::nullopt;
}

bool IsFrom(const Value& value, int64_t least, int64_t most) {
  return value.integer && *value.integer >= least && *value.integer <= most;
}

template <typename T>
bool Take(T& target, std::optional<T> value) {
  if (!value) return false;
  target = *std::move(value);
  return true;
}

std::vector<Setting> PathSettings() {
  const std::string path = "a path in UTF-8 without control characters, absolute in a file";
  return {
      {"runtime_dir", "Folder of the sockets and the lock file.", path,
       [](Config& config, const Value& v) { return Take(config.runtime_dir, LegalPath(v)); },
       [](const Config& config) { return PrintText(config.runtime_dir); }},
      {"cache_dir", "Folder of compiled kernels; \"\" keeps none on disk.",
       absl::StrCat(path, ", or \"\""),
       [](Config& config, const Value& v) {
         if (v.text && v.text->empty()) return Take(config.cache_dir, v.text);
         return Take(config.cache_dir, LegalPath(v));
       },
       [](const Config& config) { return PrintText(config.cache_dir); }},
  };
}

std::vector<Setting> DeviceSettings(const Surroundings& surroundings) {
  const std::vector<std::string>& devices = surroundings.devices;
  const std::string names = absl::StrJoin(devices, ", ");
  return {
      {"default_device",
       absl::StrCat("Device of clients that name none: ", names,
                    "; \"\" is the first that this machine has."),
       absl::StrCat("one of ", names, ", or \"\""),
       [devices](Config& config, const Value& v) {
         if (!v.text) return false;
         const bool known = std::find(devices.begin(), devices.end(), *v.text) != devices.end();
         return (known || v.text->empty()) && Take(config.default_device, v.text);
       },
       [](const Config& config) { return PrintText(config.default_device); }},
      {"cpu_threads", "Threads that the cpu device computes with; 0 is one per core.",
       absl::StrCat("a whole number from 0 to ", kMostThreads),
       [](Config& config, const Value& v) {
         if (!IsFrom(v, 0, kMostThreads)) return false;
         config.cpu_threads = static_cast<int>(*v.integer);
         return true;
       },
       [](const Config& config) { return absl::StrCat(config.cpu_threads); }},
  };
}

std::vector<Setting> ProcessSettings() {
  return {
      {"drain_timeout", "Seconds that an orderly end waits for queued work.",
       absl::StrCat("seconds from 0 to ", PrintNumber(kMostDrainSeconds)),
       [](Config& config, const Value& v) {
         // Written so that NaN is refused.
         if (!v.number || !(*v.number >= 0 && *v.number <= kMostDrainSeconds)) return false;
         return Take(config.drain_timeout_s, v.number);
       },
       [](const Config& config) { return PrintNumber(config.drain_timeout_s); }},
  };
}

std::vector<Setting> SurfaceSettings() {
  return {
      {"allow_global_iosurfaces",
       "macOS: lets clients import global IOSurfaces by number, as any process of any user could.",
       "true or false",
       [](Config& config, const Value& v) { return Take(config.allow_global_iosurfaces, v.truth); },
       [](const Config& config) { return config.allow_global_iosurfaces ? "true" : "false"; }},
      {"client_requirement",
       "macOS: code signing requirement that clients must satisfy; \"\" takes unsigned ones too.",
       "text in UTF-8 without control characters, or \"\"",
       [](Config& config, const Value& v) {
         if (!v.text || v.text->size() > kMostRequirement || !IsPrintableUtf8(*v.text))
           return false;
         return Take(config.client_requirement, v.text);
       },
       [](const Config& config) { return PrintText(config.client_requirement); }},
  };
}

std::vector<Setting> LogSettings() {
  return {
      {"log_level", "Least level that is logged: debug, info, warning, error.",
       "one of debug, info, warning, error",
       [](Config& config, const Value& v) {
         using enum LogLevel;
         return Take(config.log_level, Choice(v, {kDebug, kInfo, kWarning, kError}, &LogLevelName));
       },
       [](const Config& config) { return PrintText(std::string(LogLevelName(config.log_level))); }},
      {"log_format", "text, json, or auto: text on a terminal, else JSON lines.",
       "one of auto, text, json",
       [](Config& config, const Value& v) {
         using enum LogFormat;
         return Take(config.log_format, Choice(v, {kAuto, kText, kJson}, &LogFormatName));
       },
       [](const Config& config) {
         return PrintText(std::string(LogFormatName(config.log_format)));
       }},
      {"log_file", "File of the log, which rotates; \"\" logs on standard error.",
       "a path in UTF-8 without control characters, absolute in a file, or \"\"",
       [](Config& config, const Value& v) {
         if (v.text && v.text->empty()) return Take(config.log_file.path, v.text);
         return Take(config.log_file.path, LegalPath(v));
       },
       [](const Config& config) { return PrintText(config.log_file.path); }},
      {"log_file_bytes", "Size at which a log file is full and the next one begins.",
       absl::StrCat("a whole number from ", kLeastLogFile, " to ", kMostLogFile),
       [](Config& config, const Value& v) {
         if (!IsFrom(v, kLeastLogFile, kMostLogFile)) return false;
         config.log_file.most_bytes = static_cast<uint64_t>(*v.integer);
         return true;
       },
       [](const Config& config) { return absl::StrCat(config.log_file.most_bytes); }},
      {"log_files_kept", "How many full log files are kept.",
       absl::StrCat("a whole number from 1 to ", kMostLogFiles),
       [](Config& config, const Value& v) {
         if (!IsFrom(v, 1, kMostLogFiles)) return false;
         config.log_file.kept = static_cast<uint32_t>(*v.integer);
         return true;
       },
       [](const Config& config) { return absl::StrCat(config.log_file.kept); }},
  };
}

}  // namespace

bool IsPrintableUtf8(const std::string& text) {
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) return false;
  }
  try {
    (void)nlohmann::json(text).dump();  // strict about UTF-8
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return true;
}

// What JSON escapes, and how, is legal in TOML too.
std::string PrintText(const std::string& text) { return nlohmann::json(text).dump(); }

std::string FlagOf(const std::string& name) {
  return absl::StrCat("--", absl::StrReplaceAll(name, {{"_", "-"}}));
}

std::string Quoted(std::string_view text) {
  constexpr size_t kMostShown = 80;
  std::string shown(text.substr(0, kMostShown));
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(shown),
                      text.size() > kMostShown ? "\"..." : "\"");
}

std::string PrintNumber(double number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  return std::string(text.data(), end.ptr);
}

std::optional<std::string> LegalPath(const Value& value) {
  if (!value.text || value.text->empty() || value.text->size() > kMostPath ||
      !IsPrintableUtf8(*value.text)) {
    return std::nullopt;
  }
  std::filesystem::path path = *value.text;
  if (path.is_relative()) {
    if (!value.from_flag) return std::nullopt;
    std::error_code error;
    path = std::filesystem::absolute(path, error);
    if (error) return std::nullopt;
  }
  std::string text = path.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return IsPrintableUtf8(text) ? std::optional(text) : std::nullopt;
}

std::vector<Setting> AllSettings(const Surroundings& surroundings) {
  std::vector<Setting> all = PathSettings();
  for (const auto& more :
       {DeviceSettings(surroundings), SurfaceSettings(), ProcessSettings(), LogSettings()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

// No limit may have the highest value, so this is refused with the legal range.
std::string LegalLimit(const std::string& name) {
  const absl::Status refusal = engine::Limits().Set(name, UINT64_MAX);
  if (!absl::IsOutOfRange(refusal)) return "";
  const std::string text(refusal.message().data(), refusal.message().size());
  constexpr std::string_view kBefore = "must be ";
  const size_t at = text.find(kBefore);
  return at == std::string::npos ? text : text.substr(at + kBefore.size());
}

}  // namespace anex::server
