#include "server/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spdlog/sinks/rotating_file_sink.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace anex::server {
namespace {

using Json = nlohmann::ordered_json;

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string Bounded(std::string_view text) {
  if (text.size() <= kMostLogValue) return std::string(text);
  return absl::StrCat(std::string(text.substr(0, kMostLogValue)), "... (", text.size(), " bytes)");
}

Json ToJson(const LogField& field) {
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
          return Json(Bounded(value));
        } else {
          return Json(value);
        }
      },
      field.value);
}

// Bytes that are no UTF-8 become U+FFFD rather than an exception. DEL is legal JSON, but it and the
// control characters after it mean something to some terminals.
std::string Dump(const Json& json) {
  std::string dumped = json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  std::string text;
  text.reserve(dumped.size());
  for (size_t i = 0; i < dumped.size(); ++i) {
    const auto byte = static_cast<unsigned char>(dumped[i]);
    const auto next = i + 1 < dumped.size() ? static_cast<unsigned char>(dumped[i + 1]) : 0;
    if (byte == 0x7f) {
      text += "\\u007f";
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
      absl::StrAppend(&text, "\\u00", absl::Hex(next, absl::kZeroPad2));
      ++i;
    } else {
      text += dumped[i];
    }
  }
  return text;
}

std::string JsonLine(LogLevel level, std::string_view message, LogFields fields) {
  Json line;
  line["ts"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone());
  line["level"] = LogLevelName(level);
  line["msg"] = Bounded(message);
  for (const LogField& field : fields) line[std::string(field.key)] = ToJson(field);
  return Dump(line);
}

// A word stands as it is; anything else as a JSON string, so that fields stay apart.
std::string TextValue(const LogField& field) {
  const std::string quoted = Dump(ToJson(field));
  const auto* text = std::get_if<std::string>(&field.value);
  if (text == nullptr || text->empty() || quoted.size() != text->size() + 2) return quoted;
  if (text->find_first_of(" =") != std::string::npos) return quoted;
  return *text;
}

std::string TextLine(std::string_view message, LogFields fields) {
  const std::string quoted = Dump(Json(Bounded(message)));
  std::string line = quoted.substr(1, quoted.size() - 2);
  for (const LogField& field : fields) {
    absl::StrAppend(&line, "  ", std::string(field.key), "=", TextValue(field));
  }
  return line;
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "?";
}

std::string_view LogFormatName(LogFormat format) {
  switch (format) {
    case LogFormat::kAuto:
      return "auto";
    case LogFormat::kText:
      return "text";
    case LogFormat::kJson:
      return "json";
  }
  return "?";
}

Log Log::OnStandardError(LogLevel level, LogFormat format) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  if (format == LogFormat::kAuto) format = terminal ? LogFormat::kText : LogFormat::kJson;
  spdlog::sink_ptr sink;
  if (format == LogFormat::kText && terminal) {
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  Log log(level, format, std::move(sink));
  log.on_standard_error_ = true;
  return log;
}

absl::StatusOr<Log> Log::InFile(LogLevel level, LogFormat format, const LogFile& file) {
  if (format == LogFormat::kAuto) format = LogFormat::kJson;
  spdlog::file_event_handlers private_to_us;
  private_to_us.after_open = [](const spdlog::filename_t&, std::FILE* stream) {
    (void)::fchmod(::fileno(stream), 0600);
  };
  try {
    return Log(level, format,
               std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
                   file.path, file.most_bytes, file.kept, /*rotate_on_open=*/false, private_to_us));
  } catch (const spdlog::spdlog_ex& error) {
    return absl::FailedPreconditionError(absl::StrCat("cannot open the log: ", error.what(),
                                                      "; name another with --log-file, or none"));
  }
}

absl::StatusOr<Log> Log::Open(LogLevel level, LogFormat format, const LogFile& file) {
  if (file.path.empty()) return OnStandardError(level, format);
  return InFile(level, format, file);
}

Log::Log(LogLevel level, LogFormat format, spdlog::sink_ptr sink)
    : format_(format), logger_(std::make_shared<spdlog::logger>("anexd", std::move(sink))) {
  logger_->set_level(SpdlogLevel(level));
  logger_->set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v");
  logger_->flush_on(spdlog::level::debug);
}

void Log::SetLevel(LogLevel level) const { logger_->set_level(SpdlogLevel(level)); }

void Log::Write(LogLevel level, std::string_view message, LogFields fields) const {
  const spdlog::level::level_enum wanted = SpdlogLevel(level);
  if (!logger_->should_log(wanted)) return;
  const std::string line =
      format_ == LogFormat::kJson ? JsonLine(level, message, fields) : TextLine(message, fields);
  logger_->log(wanted, spdlog::string_view_t(line.data(), line.size()));
}

void Log::Debug(std::string_view message, LogFields fields) const {
  Write(LogLevel::kDebug, message, fields);
}
void Log::Info(std::string_view message, LogFields fields) const {
  Write(LogLevel::kInfo, message, fields);
}
void Log::Warning(std::string_view message, LogFields fields) const {
  Write(LogLevel::kWarning, message, fields);
}
void Log::Error(std::string_view message, LogFields fields) const {
  Write(LogLevel::kError, message, fields);
}

std::optional<uint64_t> RateLimiter::Admit(Instant now) {
  absl::MutexLock lock(&mutex_);
  if (!start_ || now - *start_ >= interval_) {
    start_ = now;
    used_ = 0;
  }
  if (used_ >= burst_) {
    ++left_out_;
    return std::nullopt;
  }
  ++used_;
  return std::exchange(left_out_, 0);
}

}  // namespace anex::server
