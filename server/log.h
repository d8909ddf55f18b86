// The daemon's log on standard error or in a file that rotates: lines for people on a terminal, one
// JSON object a line otherwise. A line is a constant message and fields; whatever comes from
// outside goes into a field.
//
// Secrets, tokens and tensor data are never given to it. A value cannot forge a second line:
// control bytes are escaped in both formats, and what is no UTF-8 is replaced.
//
// Threads: any. Bound: a value longer than kMostLogValue bytes is cut and says so.
#ifndef ANEX_SERVER_LOG_H_
#define ANEX_SERVER_LOG_H_

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "spdlog/common.h"
#include "spdlog/logger.h"

namespace anex::server {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : uint8_t { kAuto, kText, kJson };  // auto: text on a terminal, else JSON
std::string_view LogLevelName(LogLevel level);           // "debug", "info", "warning", "error"
std::string_view LogFormatName(LogFormat format);        // "auto", "text", "json"

inline constexpr size_t kMostLogValue = 4096;

struct LogField {
  std::string_view key;
  std::variant<std::string, int64_t, uint64_t, double, bool> value;

  LogField(std::string_view k, std::string_view text) : key(k), value(std::string(text)) {}
  LogField(std::string_view k, const std::string& text) : key(k), value(text) {}
  LogField(std::string_view k, const char* text) : key(k), value(std::string(text)) {}
  LogField(std::string_view k, const absl::Status& status) : key(k), value(status.ToString()) {}
  LogField(std::string_view k, bool flag) : key(k), value(flag) {}
  LogField(std::string_view k, double number) : key(k), value(number) {}
  template <std::signed_integral T>
  LogField(std::string_view k, T number) : key(k), value(static_cast<int64_t>(number)) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) LogField(std::string_view k, T number)
      : key(k), value(static_cast<uint64_t>(number)) {}
};
using LogFields = std::initializer_list<LogField>;

// A full one is renamed from NAME.EXT to NAME.1.EXT, that to NAME.2.EXT and so on; the oldest is
// removed. All have mode 0600.
struct LogFile {
  std::string path;  // "" = none
  uint64_t most_bytes = uint64_t{10} << 20;
  uint32_t kept = 4;  // full ones
};

class Log {
 public:
  // In `file` if it has a path, else on standard error.
  static absl::StatusOr<Log> Open(LogLevel level, LogFormat format, const LogFile& file);
  // FAILED_PRECONDITION if it cannot be written. Its folder is made; kAuto is JSON.
  static absl::StatusOr<Log> InFile(LogLevel level, LogFormat format, const LogFile& file);
  // On standard error, coloured if that is a terminal. kAuto looks whether it is one.
  static Log OnStandardError(LogLevel level, LogFormat format);
  // Into `sink`. `format` is not kAuto.
  Log(LogLevel level, LogFormat format, spdlog::sink_ptr sink);

  void Write(LogLevel level, std::string_view message, LogFields fields = {}) const;
  void Debug(std::string_view message, LogFields fields = {}) const;
  void Info(std::string_view message, LogFields fields = {}) const;
  void Warning(std::string_view message, LogFields fields = {}) const;
  void Error(std::string_view message, LogFields fields = {}) const;

  LogFormat format() const { return format_; }
  // Whether people see it where the program was started.
  bool on_standard_error() const { return on_standard_error_; }
  // From now on; any thread.
  void SetLevel(LogLevel level) const;

 private:
  LogFormat format_;
  bool on_standard_error_ = false;
  std::shared_ptr<spdlog::logger> logger_;
};

// Keeps a peer from filling the disk: lets `burst` lines through in each `interval`, and counts the
// others. Threads: any.
class RateLimiter {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  RateLimiter(uint32_t burst, std::chrono::nanoseconds interval)
      : burst_(burst), interval_(interval) {}
  // Nothing if the line is to be left out; else how many were left out since the last one let
  // through.
  std::optional<uint64_t> Admit(Instant now);
  std::optional<uint64_t> Admit() { return Admit(std::chrono::steady_clock::now()); }

 private:
  const uint32_t burst_;
  const std::chrono::nanoseconds interval_;
  absl::Mutex mutex_;
  std::optional<Instant> start_ ABSL_GUARDED_BY(mutex_);  // of the running interval
  uint32_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t left_out_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace anex::server

#endif  // ANEX_SERVER_LOG_H_
