#include "client/cli/output/text.h"

#include <cmath>
#include <ctime>

#include "absl/strings/str_format.h"

namespace anex::cli {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 1;
  bool valid = false;
};

// One code point of `text`; overlong forms, surrogates and truncated sequences are not valid.
CodePoint Decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {lead, 1, false};
  uint32_t value = lead & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {lead, 1, false};
    value = (value << 6) | (byte(i) & 0x3f);
  }
  const uint32_t least = bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : 0x80;
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  if (value < least || value > 0x10ffff || surrogate) return {lead, 1, false};
  return {value, bytes, true};
}

bool IsControl(uint32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

// Marks that change the order or hide text: bidirectional controls, zero-width and separators.
bool IsDeceptive(uint32_t c) {
  return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x2069) || c == 0xfeff || c == 0x061c;
}

std::string Escape(std::string_view text, bool keep_lines) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = Decode(text);
    const bool kept_break = keep_lines && (c.value == '\n' || c.value == '\t');
    if (!c.valid || (IsControl(c.value) && !kept_break)) {
      absl::StrAppendFormat(&safe, "\\x%02x", c.value);
    } else if (IsDeceptive(c.value)) {
      absl::StrAppendFormat(&safe, "\\u%04x", c.value);
    } else {
      safe.append(text.substr(0, c.bytes));
    }
    text.remove_prefix(c.bytes);
  }
  return safe;
}

}  // namespace

std::string Harmless(std::string_view untrusted) { return Escape(untrusted, false); }
std::string HarmlessLines(std::string_view untrusted) { return Escape(untrusted, true); }

std::string FormatDuration(int64_t ns) {
  const double value = static_cast<double>(ns);
  if (ns < 0) return "-" + FormatDuration(-ns);
  if (ns < 1'000) return absl::StrFormat("%d ns", ns);
  if (value < 999.95e3) return absl::StrFormat("%.1f us", value / 1e3);
  if (value < 999.995e6) return absl::StrFormat("%.2f ms", value / 1e6);
  if (value < 59.995e9) return absl::StrFormat("%.2f s", value / 1e9);
  const int64_t seconds = ns / 1'000'000'000;
  if (seconds < 3600) return absl::StrFormat("%dm %02ds", seconds / 60, seconds % 60);
  const int64_t minutes = seconds / 60;
  if (minutes < 48 * 60) return absl::StrFormat("%dh %02dm", minutes / 60, minutes % 60);
  return absl::StrFormat("%dd %02dh", minutes / 1440, minutes / 60 % 24);
}

std::string FormatBytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return absl::StrFormat("%d B", bytes);
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1023.95 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string FormatShare(double share) {
  if (std::isnan(share)) return "-";
  if (share > 0 && share < 0.005) return "<1 %";
  return absl::StrFormat("%.0f %%", share * 100);
}

std::string FormatCount(uint64_t count) {
  std::string digits = absl::StrFormat("%d", count);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(at, ",");
  return digits;
}

std::string Plural(uint64_t count, std::string_view one, std::string_view many) {
  return FormatCount(count) + " " + std::string(count == 1 ? one : many);
}

std::string FormatNumber(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return absl::StrFormat("%.6g", value);
}

std::string FormatId(uint64_t id) { return absl::StrFormat("%d.%d", id & 0xffffffffu, id >> 32); }

std::string FormatUtc(int64_t unix_s) {
  if (unix_s == 0) return "-";
  const std::time_t time = unix_s;
  std::tm parts{};
  if (gmtime_r(&time, &parts) == nullptr) return "-";
  char text[40];
  return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%SZ", &parts));
}

std::string ShortDigest(std::string_view digest) { return Harmless(digest.substr(0, 12)); }

std::string_view HealthName(Health health) {
  switch (health) {
    case Health::kServing:
      return "serving";
    case Health::kDegraded:
      return "degraded";
    case Health::kDraining:
      return "draining";
    case Health::kUnavailable:
      return "unavailable";
  }
  return "unknown";
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return width;
}

}  // namespace anex::cli
