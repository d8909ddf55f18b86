#include "server/engine/limits.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/str_cat.h"

namespace anex::engine {
namespace {

constexpr uint64_t kMostBytes = 1ull << 50;
constexpr uint64_t kMostNs = 86'400'000'000'000;  // a day
constexpr uint64_t kMostKept = 200;               // of four classes: a fifth is always left

// One bound: where it is, what it counts, and between what it may be set.
struct Field {
  const char* name;
  uint64_t Limits::*value;
  const char* unit;
  uint64_t least, most;
  const char* help;
  bool live = true;  // false: taken when the daemon starts, and then fixed
};

constexpr std::array kFields = {
    Field{"sessions", &Limits::sessions, "sessions", 1, 65536, "open sessions"},
    Field{"sessions_per_uid", &Limits::sessions_per_uid, "sessions", 1, 65536,
          "open sessions of one user"},
    Field{"sessions_per_process", &Limits::sessions_per_process, "sessions", 1, 65536,
          "open sessions of one process"},
    Field{"surfaces", &Limits::surfaces, "surfaces", 1, 1u << 24, "surfaces of all sessions"},
    Field{"surfaces_per_session", &Limits::surfaces_per_session, "surfaces", 1, 1u << 20,
          "surfaces that a session holds, granted ones included"},
    Field{"surface_bytes", &Limits::surface_bytes, "bytes", 4096, kMostBytes,
          "memory of all surfaces"},
    Field{"surface_bytes_per_session", &Limits::surface_bytes_per_session, "bytes", 4096,
          kMostBytes, "memory of the surfaces that a session made"},
    Field{"kernels", &Limits::kernels, "kernels", 1, 1u << 24,
          "kernels that all sessions hold; one that two hold counts twice"},
    Field{"kernels_per_session", &Limits::kernels_per_session, "kernels", 1, 1u << 20,
          "kernels that a session holds"},
    Field{"kernel_bytes", &Limits::kernel_bytes, "bytes", 4096, kMostBytes,
          "memory of all kernels: constants, converted weights, scratch"},
    Field{"kernel_bytes_per_session", &Limits::kernel_bytes_per_session, "bytes", 4096, kMostBytes,
          "memory of the kernels that a session holds, shared ones in full"},
    Field{"parameter_sets_per_session", &Limits::parameter_sets_per_session, "sets", 1, 65535,
          "parameter sets of a session"},
    Field{"parameters_per_set", &Limits::parameters_per_set, "parameters", 1, 1u << 20,
          "parameters in one set"},
    Field{"invocations_per_session", &Limits::invocations_per_session, "invocations", 1, 1u << 20,
          "prepared invocations of a session"},
    Field{"sets_per_invocation", &Limits::sets_per_invocation, "sets", 0, 8,
          "parameter sets that one invocation reads; 2^n requests are prepared"},
    Field{"chains_per_session", &Limits::chains_per_session, "chains", 1, 1u << 20,
          "chains of a session"},
    Field{"chain_steps", &Limits::chain_steps, "steps", 1, 1u << 20, "steps of one chain"},
    Field{"chain_repeat", &Limits::chain_repeat, "iterations", 1, UINT32_MAX,
          "iterations of one chain"},
    Field{"lanes_per_session", &Limits::lanes_per_session, "lanes", 1, 65536, "lanes of a session"},
    Field{"fences_per_session", &Limits::fences_per_session, "fences", 1, 1u << 20,
          "fences of a session"},
    Field{"queued", &Limits::queued, "submissions", 1, 1u << 24,
          "submissions of all sessions that are queued or run"},
    Field{"queued_per_session", &Limits::queued_per_session, "submissions", 1, 1u << 24,
          "submissions of a session that are queued or run"},
    Field{"lane_depth", &Limits::lane_depth, "submissions", 1, 1u << 20,
          "submissions queued in one lane"},
    Field{"calls", &Limits::calls, "calls", 16, 500,
          "calls of all processes that are being handled, waiting ones and streams included"},
    Field{"calls_per_process", &Limits::calls_per_process, "calls", 4, 500,
          "calls of one process that are being handled, waiting ones and streams included"},
    Field{"streams", &Limits::streams, "streams", 1, 65536, "open Execute streams"},
    Field{"streams_per_session", &Limits::streams_per_session, "streams", 1, 65536,
          "open Execute streams of a session"},
    Field{"completions_per_queue", &Limits::completions_per_queue, "completions", 1, 1u << 20,
          "submissions of one stream that are queued, running or not yet fetched"},
    Field{"handovers_per_session", &Limits::handovers_per_session, "tokens", 1, 1u << 20,
          "hand-over, import and grant tokens that nobody has used yet, of each kind"},
    Field{"concurrent_compiles", &Limits::concurrent_compiles, "compiles", 1, 256,
          "compiles at one time; taken at start", false},
    Field{"compiles_per_minute", &Limits::compiles_per_minute, "compiles", 1, 1u << 20,
          "programs that are sent to be compiled and not loaded already"},
    Field{"compiles_per_minute_per_session", &Limits::compiles_per_minute_per_session, "compiles",
          1, 1u << 20, "the same, of one session"},
    Field{"compile_text_bytes", &Limits::compile_text_bytes, "bytes", 1, 1ull << 32,
          "text of one program"},
    Field{"compile_weight_bytes", &Limits::compile_weight_bytes, "bytes", 0, kMostBytes,
          "weight files of one program"},
    Field{"upload_bytes", &Limits::upload_bytes, "bytes", 4096, kMostBytes,
          "programs of all sessions that are being sent, checked or compiled"},
    Field{"upload_bytes_per_session", &Limits::upload_bytes_per_session, "bytes", 4096, kMostBytes,
          "the same, of one session"},
    Field{"compile_deadline_ns", &Limits::compile_deadline_ns, "ns", 1'000'000, kMostNs,
          "longest compile"},
    Field{"write_lease_ns", &Limits::write_lease_ns, "ns", 1'000'000, kMostNs,
          "longest write lease on a parameter set"},
    Field{"attach_deadline_ns", &Limits::attach_deadline_ns, "ns", 1'000'000, kMostNs,
          "from Open to the hello on the side channel"},
    Field{"default_submission_deadline_ns", &Limits::default_submission_deadline_ns, "ns",
          1'000'000, kMostNs, "deadline of a submission that names none"},
    Field{"device_hang_ns", &Limits::device_hang_ns, "ns", 1'000'000, kMostNs,
          "a kernel run that makes no progress for so long is a hung device"},
    Field{"cache_bytes", &Limits::cache_bytes, "bytes", 0, kMostBytes, "disk cache of compiles"},
    Field{"unpublished_import_ns", &Limits::unpublished_import_ns, "ns", 1'000'000, kMostNs,
          "how long an offered region waits for its import"},
    Field{
        "asked_weight", &Limits::asked_weight, "shares", 1, 1000,
        "share among its user's sessions that a client may ask for itself; --session-weight gives "
        "it more"},
    Field{"interactive_kept_permille", &Limits::interactive_kept_permille, "permille", 1, kMostKept,
          "device time kept for interactive work from real-time work"},
    Field{"default_kept_permille", &Limits::default_kept_permille, "permille", 1, kMostKept,
          "device time kept for default work from work of higher classes"},
    Field{"utility_kept_permille", &Limits::utility_kept_permille, "permille", 1, kMostKept,
          "device time kept for utility work from work of higher classes"},
    Field{"background_kept_permille", &Limits::background_kept_permille, "permille", 1, kMostKept,
          "device time kept for background work from all other work"},
};
static_assert(sizeof(Limits) == kFields.size() * sizeof(uint64_t), "a limit is missing in kFields");

const Field* Find(std::string_view name) {
  for (const Field& field : kFields) {
    if (name == field.name) return &field;
  }
  return nullptr;
}

size_t IndexOf(uint64_t Limits::*value) {
  size_t index = 0;
  while (kFields[index].value != value) ++index;
  return index;
}

}  // namespace

Limits Limits::ForMemory(uint64_t memory_bytes) {
  Limits limits;
  if (memory_bytes == 0) return limits;
  // At least what a small program needs; a whole number of MiB, for people.
  const auto part = [memory_bytes](uint64_t of) {
    constexpr uint64_t kMiB = 1 << 20;
    return std::clamp(memory_bytes / of / kMiB * kMiB, 64 * kMiB, kMostBytes);
  };
  limits.surface_bytes = part(2);
  limits.surface_bytes_per_session = part(4);
  limits.kernel_bytes = limits.upload_bytes = part(4);
  limits.kernel_bytes_per_session = limits.upload_bytes_per_session = part(8);
  return limits;
}

std::vector<LimitInfo> Limits::List() const {
  std::vector<LimitInfo> all;
  for (const Field& field : kFields) {
    all.push_back(
        {field.name, this->*field.value, field.unit, field.help, field.least, field.most});
  }
  return all;
}

absl::Status Limits::Set(std::string_view name, uint64_t value) {
  const Field* field = Find(name);
  if (field == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("there is no limit named \"", std::string(name.substr(0, 64)), "\""));
  }
  if (value < field->least || value > field->most) {
    return absl::OutOfRangeError(absl::StrCat(field->name, "=", value, ": must be from ",
                                              field->least, " to ", field->most, " ", field->unit));
  }
  this->*field->value = value;
  return absl::OkStatus();
}

absl::Status Bound::Exceeded(std::string_view found) const {
  return absl::ResourceExhaustedError(absl::StrCat(
      name_, "=", value(), ": ", std::string(found), "; an operator changes it with ",
      live_ ? "`anectl limits " : "[limits] ", name_, live_ ? "=N`" : " in the configuration"));
}

struct LiveLimits::Values {
  std::array<std::atomic<uint64_t>, kFields.size()> now;
};

LiveLimits::LiveLimits(const Limits& limits) : values_(std::make_shared<Values>()) {
  absl::MutexLock lock(&mutex_);
  Store(limits);
}

void LiveLimits::Store(const Limits& limits) {
  for (size_t i = 0; i < kFields.size(); ++i) {
    values_->now[i].store(limits.*kFields[i].value, std::memory_order_relaxed);
  }
}

Bound LiveLimits::Of(uint64_t Limits::*value) const {
  const size_t index = IndexOf(value);
  return Bound(kFields[index].name, kFields[index].live,
               std::shared_ptr<const std::atomic<uint64_t>>(values_, &values_->now[index]));
}

Limits LiveLimits::Now() const {
  Limits limits;
  for (size_t i = 0; i < kFields.size(); ++i) {
    limits.*kFields[i].value = values_->now[i].load(std::memory_order_relaxed);
  }
  return limits;
}

absl::Status LiveLimits::Set(const std::map<std::string, uint64_t>& values) {
  absl::MutexLock lock(&mutex_);
  Limits wanted = Now();
  for (const auto& [name, value] : values) {
    if (absl::Status set = wanted.Set(name, value); !set.ok()) return set;
    if (Find(name)->live) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(name,
                     " is taken when the daemon starts: set it in [limits] of the "
                     "configuration and restart the daemon"));
  }
  Store(wanted);
  return absl::OkStatus();
}

std::vector<std::string> LiveLimits::Replace(const Limits& limits) {
  absl::MutexLock lock(&mutex_);
  Limits wanted = limits;
  const Limits now = Now();
  std::vector<std::string> fixed;
  for (const Field& field : kFields) {
    if (field.live || wanted.*field.value == now.*field.value) continue;
    wanted.*field.value = now.*field.value;
    fixed.push_back(field.name);
  }
  Store(wanted);
  return fixed;
}

}  // namespace anex::engine
