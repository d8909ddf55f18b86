#include "server/engine/device_prober.h"

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/values/within_memory.h"

namespace anex::engine {
namespace {

// A single answer may take several times as long as a run: programs are compiled for it, and a
// compiler that has just failed is given time.
constexpr int64_t kHangsLong = 3;
constexpr int kMostLeftBehind = 4;
// How long the destructor waits for a probe that runs.
constexpr absl::Duration kGrace = absl::Seconds(2);
// How late who waits sees that its caller has left, or that the device is silent.
constexpr absl::Duration kLook = absl::Milliseconds(20);

}  // namespace

struct DeviceProber::Flight {
  // Constant.
  device::DeviceFactory factory;
  bool thorough = false;

  device::CallControl control;
  device::ProbeLog log;

  // Guarded by the prober's lock.
  bool done = false;
  absl::Status status;
  std::string description;
  uint64_t seen_progress = 0;  // and when it was that for the first time
  int64_t seen_ns = 0;

  // A device that cannot be made is what people want to report most.
  absl::StatusOr<std::unique_ptr<device::Device>> MakeDevice();
  absl::Status Fly(State& state);
  ProbeReport Report() const { return {factory.name, description, log.findings()}; }
};

struct DeviceProber::State : std::enable_shared_from_this<State> {
  State(const Clock& given, Bound hang) : clock(given), hang_ns(std::move(hang)) {}

  const Clock& clock;  // not for the threads: it may be gone before them
  const Bound hang_ns;

  absl::Mutex mutex;
  std::shared_ptr<Flight> current ABSL_GUARDED_BY(mutex);  // null: none runs
  int left_behind ABSL_GUARDED_BY(mutex) = 0;

  int64_t silence_ns() const { return static_cast<int64_t>(hang_ns.value()) * kHangsLong; }
  absl::StatusOr<std::shared_ptr<Flight>> Begin(const device::DeviceFactory& factory,
                                                bool thorough);
  void ThreadMain(const std::shared_ptr<Flight>& flight);
  // No progress since long ago.
  bool IsSilent(Flight& flight) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void LeaveBehind(Flight& flight) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // What a flight that hangs has come to.
  ProbeReport Hung(const Flight& flight) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  absl::StatusOr<ProbeReport> Await(Flight& flight, const WaitLimit& limit);
};

// --- The thread ---

absl::StatusOr<std::unique_ptr<device::Device>> DeviceProber::Flight::MakeDevice() {
  log.Ask("available", "can the device be used here, and does it pass its own test?",
          Evidence::kProbed);
  absl::StatusOr<std::unique_ptr<device::Device>> made = factory.make();
  if (!made.ok()) log.Answer(absl::StrCat("no: ", std::string(made.status().message())));
  control.Progress();
  return made;
}

absl::Status DeviceProber::Flight::Fly(State& state) {
  absl::StatusOr<std::unique_ptr<device::Device>> made = MakeDevice();
  if (!made.ok()) {
    // Not the device's doing, and no finding.
    return absl::IsResourceExhausted(made.status()) ? made.status() : absl::OkStatus();
  }
  {
    absl::MutexLock lock(&state.mutex);
    description = (*made)->capabilities().description;
  }
  return (*made)->Probe(thorough, control, log);
}

void DeviceProber::State::ThreadMain(const std::shared_ptr<Flight>& flight) {
  absl::Status status = WithinMemory("probe this device", [&] { return flight->Fly(*this); });
  absl::MutexLock lock(&mutex);
  flight->status = std::move(status);
  flight->done = true;
  if (current == flight) {
    current = nullptr;
  } else {
    --left_behind;
  }
}

// --- Callers ---

absl::StatusOr<std::shared_ptr<DeviceProber::Flight>> DeviceProber::State::Begin(
    const device::DeviceFactory& factory, bool thorough) {
  auto flight = std::make_shared<Flight>();
  flight->factory = factory;
  flight->thorough = thorough;
  flight->seen_ns = clock.Now();
  absl::MutexLock lock(&mutex);
  // Nobody waits any more for one that was stopped, so nobody has seen that it hangs.
  if (current != nullptr && current->control.stopped() && IsSilent(*current)) LeaveBehind(*current);
  if (current != nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("device ", current->factory.name,
                                                     " is being probed already; try again later"));
  }
  if (left_behind >= kMostLeftBehind) {
    return absl::ResourceExhaustedError(absl::StrCat(
        left_behind, " probes hang in their devices; restart the daemon to probe again"));
  }
  std::thread([self = shared_from_this(), flight] { self->ThreadMain(flight); }).detach();
  current = flight;
  return flight;
}

bool DeviceProber::State::IsSilent(Flight& flight) {
  const int64_t now_ns = clock.Now();
  const uint64_t progress = flight.control.progress();
  if (progress != flight.seen_progress) {
    flight.seen_progress = progress;
    flight.seen_ns = now_ns;
  }
  return now_ns - flight.seen_ns > silence_ns();
}

void DeviceProber::State::LeaveBehind(Flight& flight) {
  flight.control.Stop();
  current = nullptr;
  ++left_behind;
}

ProbeReport DeviceProber::State::Hung(const Flight& flight) const {
  ProbeReport report = flight.Report();
  std::optional<ProbeFinding> open = flight.log.open();
  if (!open.has_value()) {
    open = ProbeFinding{
        "end", "does the device let go of what it was asked with?", "", Evidence::kProbed, {}};
  }
  open->answer =
      absl::StrCat("hangs: nothing for ", absl::FormatDuration(absl::Nanoseconds(silence_ns())),
                   "; what comes after it was not asked");
  report.findings.push_back(*std::move(open));
  return report;
}

absl::StatusOr<ProbeReport> DeviceProber::State::Await(Flight& flight, const WaitLimit& limit) {
  for (;;) {
    // Without the lock: whether the caller has left may be gRPC's to say, which takes its time.
    const absl::Status left = limit.Check("the probe");
    absl::MutexLock lock(&mutex);
    if (flight.done) {
      if (!flight.status.ok()) return flight.status;
      return flight.Report();
    }
    if (!left.ok()) {
      const std::optional<ProbeFinding> open = flight.log.open();
      if (!open.has_value()) return left;
      return absl::Status(
          left.code(), absl::StrCat(std::string(left.message()), ", which was at ", open->claim));
    }
    if (IsSilent(flight)) {
      LeaveBehind(flight);
      return Hung(flight);
    }
    mutex.AwaitWithTimeout(absl::Condition(&flight.done), kLook);
  }
}

// --- The face ---

DeviceProber::DeviceProber(const Clock& clock, Bound device_hang_ns)
    : state_(std::make_shared<State>(clock, std::move(device_hang_ns))) {}

DeviceProber::~DeviceProber() {
  absl::MutexLock lock(&state_->mutex);
  if (state_->current == nullptr) return;
  state_->current->control.Stop();
  const auto gone = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mutex) {
    return state_->current == nullptr;
  };
  state_->mutex.AwaitWithTimeout(absl::Condition(&gone), kGrace);
}

absl::StatusOr<ProbeReport> DeviceProber::Probe(const device::DeviceFactory& factory, bool thorough,
                                                const WaitLimit& limit) {
  return WithinMemory("probe this device", [&]() -> absl::StatusOr<ProbeReport> {
    if (absl::Status early = limit.Check("the probe"); !early.ok()) return early;
    absl::StatusOr<std::shared_ptr<Flight>> flight = state_->Begin(factory, thorough);
    if (!flight.ok()) return flight.status();
    // Whoever has begun stops it when leaving, for want of memory too.
    const absl::Cleanup stop = [&] { (*flight)->control.Stop(); };
    return state_->Await(**flight, limit);
  });
}

}  // namespace anex::engine
