#include "tests/doubles/apple/faults.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace anex::ane_double {
namespace {

// Where something can go wrong, and what only sets something.
constexpr std::string_view kFaults =
    "compile load unload evaluate map descriptor model request limit ane memory client begin end";
constexpr std::string_view kSettings =
    "compile_ms evaluate_ms completion_ms order row realtime realtime_us refuse compiles "
    "weights buffer binding least procedures refuse_qos slow_qos plain_ms stats events chain "
    "rtload";

bool IsKnown(std::string_view point) {
  for (const std::string_view list : {kFaults, kSettings}) {
    for (const absl::string_view word :
         absl::StrSplit(absl::string_view(list.data(), list.size()), ' ')) {
      if (std::string_view(word.data(), word.size()) == point) return true;
    }
  }
  return false;
}

[[noreturn]] void Refuse(std::string_view text) {
  std::fprintf(stderr, "ANE double: cannot read the fault \"%.*s\"\n",
               static_cast<int>(text.size()), text.data());
  std::abort();
}

}  // namespace

Faults& Faults::Instance() {
  static Faults& faults = *new Faults;
  return faults;
}

Faults::Faults() {
  if (const char* text = std::getenv("ANEX_ANE_DOUBLE"); text != nullptr) Set(text);
}

void Faults::Set(std::string_view text) {
  std::map<std::string, Fault> faults;
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(text.data(), text.size()), ',', absl::SkipWhitespace());
  for (const std::string& part : parts) {
    const std::pair<std::string, std::string> sides =
        absl::StrSplit(absl::StripAsciiWhitespace(part), absl::MaxSplits('=', 1));
    Fault fault;
    const std::pair<std::string, std::string> what =
        absl::StrSplit(sides.second, absl::MaxSplits('*', 1));
    fault.what = what.first;
    if (!what.second.empty() && !absl::SimpleAtoi(what.second, &fault.left)) Refuse(part);
    if (fault.what.empty() || !IsKnown(sides.first)) Refuse(part);
    faults[sides.first] = std::move(fault);
  }
  const std::lock_guard lock(mutex_);
  faults_ = std::move(faults);
}

std::string Faults::Take(const std::string& point) {
  const std::lock_guard lock(mutex_);
  const auto found = faults_.find(point);
  if (found == faults_.end() || found->second.left == 0) return "";
  if (found->second.left > 0) --found->second.left;
  return found->second.what;
}

std::string Faults::Get(const std::string& point) const {
  const std::lock_guard lock(mutex_);
  const auto found = faults_.find(point);
  return found == faults_.end() ? "" : found->second.what;
}

int64_t Faults::Number(const std::string& point, int64_t otherwise) const {
  int64_t number = otherwise;
  const std::string text = Get(point);
  if (!text.empty() && !absl::SimpleAtoi(text, &number)) Refuse(text);
  return number;
}

void Faults::Delay(const std::string& point) const {
  const int64_t ms = Number(point, 0);
  if (ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

void Faults::Hang() {
  std::unique_lock lock(mutex_);
  const uint64_t before = releases_;
  released_.wait(lock, [&] { return releases_ != before; });
}

void Faults::Release() {
  const std::lock_guard lock(mutex_);
  ++releases_;
  released_.notify_all();
}

Counts& Counts::Instance() {
  static Counts& counts = *new Counts;
  return counts;
}

void Counts::Add(uint64_t AneDoubleCounts::*count, int64_t by) {
  const std::lock_guard lock(mutex_);
  counts_.*count += static_cast<uint64_t>(by);
}

void Counts::Reset() {
  const std::lock_guard lock(mutex_);
  counts_ = {.loaded_now = counts_.loaded_now,
             .requests_now = counts_.requests_now,
             .models_now = counts_.models_now,
             .real_time_now = counts_.real_time_now};
}

AneDoubleCounts Counts::Get() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace anex::ane_double

const char* ane_double_points(void) { return anex::ane_double::kFaults.data(); }
