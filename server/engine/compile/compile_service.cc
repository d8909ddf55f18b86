#include "server/engine/compile/compile_service.h"

#include <algorithm>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/values/hash_map.h"
#include "proto/values/within_memory.h"
#include "server/engine/compile/check_program.h"
#include "server/engine/compile/compile_breaker.h"
#include "server/engine/compile/compile_flight.h"
#include "server/engine/compile/text_digests.h"
#include "server/mil/ane/ane_rules.h"
#include "server/mil/ane/ane_target.h"

namespace anex::engine {
namespace {

// A compile thread whose compile overran is replaced, so that two stuck compiles do not stop all
// others; but a device that gets stuck every time must not eat threads without end.
constexpr uint64_t kMostReplacedThreads = 8;
// How long the destructor waits for compiles that run.
constexpr absl::Duration kGrace = absl::Seconds(2);
// A check reports so many errors of one program; a refused compile fewer, as its status is short.
constexpr uint32_t kCheckErrors = 100;

struct ResidentKernel {
  std::weak_ptr<Kernel> kernel;
  std::vector<Diagnostic> diagnostics;
  std::string text_sha256;  // of the text that they point into
};

// What Run was asked for.
struct Request {
  std::string digest;
  std::shared_ptr<DeviceSlot> slot;
  CompileTarget target;
  std::optional<ProgramSource> source;  // none: from the cache or not at all
  std::string text_sha256;              // of its text
  std::string name;
  CompileCaller caller;
};

// What became of it.
struct Outcome {
  absl::StatusOr<CompileResult> result;
  absl::StatusCode refusal = absl::StatusCode::kOk;  // as in FlightOutcome
  std::string text_sha256;                           // of the text that diagnostics point into
};

// What saves work later is forgotten where there is no memory for it: whoever waits has an answer.
template <typename Keep>
void RememberWithinMemory(const Keep& keep) {
  WithinMemory("remember this kernel", [&] {
    keep();
    return absl::OkStatus();
  }).IgnoreError();
}

}  // namespace

struct CompileService::State : std::enable_shared_from_this<State> {
  explicit State(CompileServiceOptions given)
      : options(std::move(given)), breaker(options.breaker_ns, options.breaker_longest_ns) {}

  const CompileServiceOptions options;
  TextDigests text_digests;

  mutable absl::Mutex mutex;
  HashMap<std::string, std::shared_ptr<Flight>> flights ABSL_GUARDED_BY(mutex);
  // Lists, so that taking a flight from one to the other needs no memory.
  std::list<std::shared_ptr<Flight>> queue ABSL_GUARDED_BY(mutex);
  std::list<std::shared_ptr<Flight>> running ABSL_GUARDED_BY(mutex);  // not landed
  HashMap<std::string, ResidentKernel> resident ABSL_GUARDED_BY(mutex);
  CompileBreaker breaker ABSL_GUARDED_BY(mutex);
  Counters counters ABSL_GUARDED_BY(mutex);
  uint64_t threads ABSL_GUARDED_BY(mutex) = 0;
  uint64_t replaced ABSL_GUARDED_BY(mutex) = 0;
  bool stopping ABSL_GUARDED_BY(mutex) = false;

  absl::StatusOr<std::shared_ptr<DeviceSlot>> SlotOf(const std::string& name) const;
  CompileTarget TargetFor(const DeviceSlot& slot, const CompileOptions& compile) const;
  absl::Status CheckSize(const ProgramSource& source) const;

  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void ThreadLoop();
  bool RunOne();
  FlightOutcome FlyWithin(Flight& flight);  // without the lock
  void Land(Flight& flight, FlightOutcome outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  bool AnyOverdue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void EndOverdue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void Overrun(Flight& flight) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void Leave(const std::shared_ptr<Flight>& flight) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  std::optional<Outcome> FindResident(const Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  absl::StatusOr<std::shared_ptr<Flight>> Join(const Request& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  absl::Status Await(const std::shared_ptr<Flight>& flight, const WaitLimit& limit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  Outcome Run(const Request& request, const WaitLimit& limit);
  absl::StatusOr<CompileResult> WithOwnDiagnostics(const Request& request, Outcome outcome,
                                                   const WaitLimit& limit) const;
  absl::StatusOr<CheckResult> Check(const ProgramSource& source, const std::string& device,
                                    CheckPurpose purpose, const WaitLimit& limit) const;
  mil::FrontEndLimits FrontEndBounds(const WaitLimit& limit) const;
};

namespace {

CompileResult MakeResult(std::shared_ptr<Kernel> kernel, std::string_view name,
                         CompileOrigin origin, const CompileTimings& timings,
                         std::vector<Diagnostic> diagnostics) {
  CompileResult result;
  result.info.digest = kernel->digest();
  result.info.name = std::string(name);
  result.info.device = kernel->device_name();
  result.info.functions.assign(kernel->functions().begin(), kernel->functions().end());
  result.info.origin = origin;
  result.info.timings = timings;
  result.info.diagnostics = WithFile(std::move(diagnostics), name);
  result.kernel = std::move(kernel);
  return result;
}

}  // namespace

// --- What is asked for ---

absl::StatusOr<std::shared_ptr<DeviceSlot>> CompileService::State::SlotOf(
    const std::string& name) const {
  const std::string& wanted = name.empty() ? options.default_device : name;
  if (wanted.empty() && !options.devices.empty()) return options.devices.front();
  std::string known;
  for (const auto& slot : options.devices) {
    if (slot->name() == wanted) return slot;
    absl::StrAppend(&known, known.empty() ? "" : ", ", slot->name());
  }
  return absl::NotFoundError(absl::StrCat("no device \"", wanted, "\"; there is: ", known));
}

CompileTarget CompileService::State::TargetFor(const DeviceSlot& slot,
                                               const CompileOptions& compile) const {
  return {.engine_version = options.engine_version,
          .device = slot.name(),
          .compiler_version = slot.capabilities().compiler_version,
          .options = compile.options};
}

absl::Status CompileService::State::CheckSize(const ProgramSource& source) const {
  if (source.text.size() > options.compile_text_bytes.value()) {
    return options.compile_text_bytes.Exceeded(absl::StrCat("the text has ", source.text.size()));
  }
  uint64_t bytes = 0;
  for (const auto& [path, weights] : source.weights) bytes += weights ? weights->size() : 0;
  if (bytes > options.compile_weight_bytes.value()) {
    return options.compile_weight_bytes.Exceeded(absl::StrCat("the weight files have ", bytes));
  }
  return absl::OkStatus();
}

// --- Compile threads ---

void CompileService::State::StartThread() {
  std::thread([self = shared_from_this()] { self->ThreadLoop(); }).detach();
  ++threads;
}

void CompileService::State::ThreadLoop() {
  while (RunOne()) {
  }
  absl::MutexLock lock(&mutex);
  --threads;
}

// One flight from the queue. False: this thread is to end.
bool CompileService::State::RunOne() {
  std::shared_ptr<Flight> flight;
  {
    absl::MutexLock lock(&mutex);
    const auto work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      return stopping || !queue.empty();
    };
    mutex.Await(absl::Condition(&work));
    if (stopping) return false;
    flight = queue.front();
    running.splice(running.end(), queue, queue.begin());
    flight->phase = Flight::Phase::kRunning;
    flight->deadline_ns =
        options.clock->Now() + static_cast<int64_t>(options.compile_deadline_ns.value());
  }
  FlightOutcome outcome = FlyWithin(*flight);
  absl::MutexLock lock(&mutex);
  if (flight->phase == Flight::Phase::kDone) {
    // It overran, and its callers have gone. What it made is in the cache for the next caller, who
    // need not be turned away. If another thread took this one's place, there is one too many now.
    if (outcome.ok()) breaker.Succeeded(flight->digest);
    if (!flight->replaced) return !stopping;
    --replaced;
    return false;
  }
  if (stopping) return false;  // nobody waits, and the clock may be gone
  Land(*flight, std::move(outcome));
  // The callers hold the kernel from now on, not this thread; without callers it goes after the
  // lock.
  if (flight->waiters > 0) flight.reset();
  return true;
}

// A program may want more memory than there is: that is its failure, not the daemon's.
FlightOutcome CompileService::State::FlyWithin(Flight& flight) {
  FlightOutcome outcome;
  const absl::Status flown = WithinMemory("compile this program", [&] {
    outcome = Fly(flight, options.cache.get(), options.compile_text_bytes.value());
    return absl::OkStatus();
  });
  if (!flown.ok()) outcome.status = flown;
  return outcome;
}

void CompileService::State::Land(Flight& flight, FlightOutcome outcome) {
  if (outcome.ok()) {
    ++(outcome.origin == CompileOrigin::kCache ? counters.restored : counters.compiled);
    breaker.Succeeded(flight.digest);
    std::erase_if(resident, [](const auto& entry) { return entry.second.kernel.expired(); });
    RememberWithinMemory([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      ResidentKernel kernel{outcome.kernel, outcome.diagnostics, outcome.text_sha256};
      resident[flight.digest] = std::move(kernel);
    });
  } else if (!outcome.not_cached && !flight.control.stopped()) {
    ++counters.failed;
    RememberWithinMemory([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      breaker.Failed(flight.digest, outcome, options.clock->Now());
    });
  }
  flight.outcome = std::move(outcome);
  flight.phase = Flight::Phase::kDone;
  std::erase_if(running, [&](const auto& other) { return other.get() == &flight; });
  // The flight's own map entry goes; waiters hold the flight.
  auto it = flights.find(flight.digest);
  if (it != flights.end() && it->second.get() == &flight) flights.erase(it);
}

bool CompileService::State::AnyOverdue() const {
  const int64_t now_ns = options.clock->Now();
  return std::ranges::any_of(running, [&](const auto& f) { return now_ns > f->deadline_ns; });
}

// Whoever waits looks after all flights that run, also those that nobody waits for any more but
// that keep a thread all the same.
void CompileService::State::EndOverdue() {
  const int64_t now_ns = options.clock->Now();
  const std::vector<std::shared_ptr<Flight>> before(running.begin(), running.end());
  for (const std::shared_ptr<Flight>& flight : before) {
    if (now_ns > flight->deadline_ns) Overrun(*flight);
  }
}

void CompileService::State::Overrun(Flight& flight) {
  FlightOutcome outcome;
  outcome.status = absl::DeadlineExceededError(absl::StrCat(
      "the compile took longer than compile_deadline_ns=", options.compile_deadline_ns.value(),
      " on device ", flight.slot->name()));
  Land(flight, std::move(outcome));
  flight.control.Stop();
  if (replaced < kMostReplacedThreads && !stopping) {
    StartThread();
    ++replaced;
    flight.replaced = true;
  }
}

// --- Callers ---

std::optional<Outcome> CompileService::State::FindResident(const Request& request) {
  auto it = resident.find(request.digest);
  if (it == resident.end()) return std::nullopt;
  std::shared_ptr<Kernel> kernel = it->second.kernel.lock();
  if (kernel == nullptr || kernel->device_name() != request.slot->name()) return std::nullopt;
  ++counters.shared;
  return Outcome{.result = MakeResult(std::move(kernel), request.name, CompileOrigin::kResident, {},
                                      it->second.diagnostics),
                 .text_sha256 = it->second.text_sha256};
}

absl::StatusOr<std::shared_ptr<Flight>> CompileService::State::Join(const Request& request) {
  // Everything that takes memory comes before what the others see: they must not find half a
  // flight, which nobody would ever run.
  std::shared_ptr<Flight>& flight = flights[request.digest];
  if (flight != nullptr) {
    // One that was only to look into the cache may now compile.
    if (flight->phase == Flight::Phase::kQueued && !flight->source.has_value()) {
      Request brought = request;
      flight->source = std::move(brought.source);
      flight->text_sha256 = std::move(brought.text_sha256);
      flight->target = std::move(brought.target);
      flight->upload = std::move(brought.caller.upload);
    }
    ++counters.joined;
  } else if (queue.size() >= options.compile_queue) {
    flights.erase(request.digest);
    return absl::ResourceExhaustedError(
        absl::StrCat("compile_queue=", options.compile_queue, ": too many compiles are waiting"));
  } else {
    auto begun = std::make_shared<Flight>();
    begun->digest = request.digest;
    begun->slot = request.slot;
    begun->target = request.target;
    begun->source = request.source;
    begun->text_sha256 = request.text_sha256;
    begun->upload = request.caller.upload;
    begun->payer = request.caller.kernel_memory;
    begun->account = std::make_shared<KernelAccount>(options.kernel_memory, begun->payer);
    queue.push_back(begun);
    flight = std::move(begun);
  }
  ++flight->waiters;
  return flight;
}

void CompileService::State::Leave(const std::shared_ptr<Flight>& flight) {
  if (--flight->waiters > 0 || flight->phase == Flight::Phase::kDone) return;
  // Whoever asks for the program from now on begins anew.
  flights.erase(flight->digest);
  flight->control.Stop();
  std::erase(queue, flight);
}

absl::Status CompileService::State::Await(const std::shared_ptr<Flight>& flight,
                                          const WaitLimit& limit) {
  const auto over = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return flight->phase == Flight::Phase::kDone || AnyOverdue();
  };
  // Whoever has come leaves, for want of memory too.
  const absl::Cleanup leave = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { Leave(flight); };
  absl::Status waited;
  while (waited.ok() && flight->phase != Flight::Phase::kDone) {
    waited = AwaitUntil(mutex, absl::Condition(&over), limit, "the compile");
    if (waited.ok()) EndOverdue();
  }
  return waited;
}

Outcome CompileService::State::Run(const Request& request, const WaitLimit& limit) {
  const int64_t begin_ns = options.clock->Now();
  bool admitted = !request.source.has_value() || !request.caller.admit;
  for (;;) {
    absl::MutexLock lock(&mutex);
    std::optional<Outcome> shared = FindResident(request);
    if (shared.has_value()) {
      shared->result->info.timings.total_ns = options.clock->Now() - begin_ns;
      return *std::move(shared);
    }
    const auto failed = [&](const FlightOutcome& outcome) {
      return Outcome{outcome.StatusFor(request.name), outcome.refusal, outcome.text_sha256};
    };
    if (const FlightOutcome* before = breaker.Find(request.digest, options.clock->Now())) {
      ++counters.refused_by_breaker;
      return failed(*before);
    }
    if (!admitted && !flights.contains(request.digest)) {
      if (absl::Status refused = request.caller.admit(); !refused.ok()) return {refused};
      admitted = true;
    }
    absl::StatusOr<std::shared_ptr<Flight>> flight = Join(request);
    if (!flight.ok()) return {flight.status()};
    if (absl::Status waited = Await(*flight, limit); !waited.ok()) return {waited};
    const FlightOutcome& outcome = (*flight)->outcome;
    // Somebody else's look into the cache found nothing: now compile what this caller has brought.
    if (outcome.not_cached && request.source.has_value()) continue;
    // There was no room for whoever began it; this caller may have some.
    if (outcome.no_room && (*flight)->payer != request.caller.kernel_memory) continue;
    if (!outcome.ok()) return failed(outcome);
    CompileTimings timings = outcome.timings;
    timings.total_ns = options.clock->Now() - begin_ns;
    return {.result = MakeResult(outcome.kernel, request.name, outcome.origin, timings,
                                 outcome.diagnostics),
            .text_sha256 = outcome.text_sha256};
  }
}

// Programs are shared by their meaning, but findings point into a text: one that is spelled
// differently is read again for its own.
absl::StatusOr<CompileResult> CompileService::State::WithOwnDiagnostics(
    const Request& request, Outcome outcome, const WaitLimit& limit) const {
  const bool refused = outcome.refusal != absl::StatusCode::kOk;
  const bool points = refused || (outcome.result.ok() && !outcome.result->info.diagnostics.empty());
  if (!points || !request.source.has_value() || outcome.text_sha256 == request.text_sha256) {
    return std::move(outcome.result);
  }
  const absl::StatusOr<DeviceInstance> instance = request.slot->Current();
  const device::Device* device = refused && instance.ok() ? instance->device.get() : nullptr;
  CheckedProgram own =
      CheckProgram(*request.source, mil::MissingWeights::kError, FrontEndBounds(limit), device);
  if (own.stopped) return limit.Check("the check");
  if (!refused) {
    outcome.result->info.diagnostics = std::move(own.diagnostics);
  } else if (own.program == nullptr || own.lacking) {
    outcome.result = mil::ToStatus(own.diagnostics, outcome.refusal);
  }
  return std::move(outcome.result);
}

mil::FrontEndLimits CompileService::State::FrontEndBounds(const WaitLimit& limit) const {
  mil::FrontEndLimits limits;
  limits.text_bytes = options.compile_text_bytes.value();
  limits.stopped = [&limit] { return !limit.Check("the check").ok(); };
  return limits;
}

absl::StatusOr<CheckResult> CompileService::State::Check(const ProgramSource& source,
                                                         const std::string& device,
                                                         CheckPurpose purpose,
                                                         const WaitLimit& limit) const {
  const absl::StatusOr<std::shared_ptr<DeviceSlot>> slot = SlotOf(device);
  const bool ane = mil::AneTarget::Names(device);
  if (!slot.ok() && !ane) return slot.status();
  const absl::StatusOr<DeviceInstance> instance = slot.ok() ? (*slot)->Current() : slot.status();
  const bool compile = purpose == CheckPurpose::kCompile;
  mil::FrontEndLimits limits = FrontEndBounds(limit);
  if (!compile) limits.errors = kCheckErrors;
  CheckedProgram checked =
      CheckProgram(source, compile ? mil::MissingWeights::kError : mil::MissingWeights::kNote,
                   limits, instance.ok() ? instance->device.get() : nullptr);
  if (checked.stopped) return limit.Check("the check");
  if (absl::Status target =
          mil::AddAneFindings(device, source, checked.program.get(), checked.diagnostics);
      !target.ok()) {
    return target;
  }
  CheckResult result{.diagnostics = std::move(checked.diagnostics)};
  if (checked.program != nullptr) result.functions = FunctionsOf(*checked.program);
  return result;
}

// --- The face ---

CompileService::CompileService(CompileServiceOptions options)
    : state_(std::make_shared<State>(std::move(options))) {
  absl::MutexLock lock(&state_->mutex);
  for (uint64_t i = 0; i < std::max<uint64_t>(state_->options.concurrent_compiles, 1); ++i) {
    state_->StartThread();
  }
}

CompileService::~CompileService() {
  absl::MutexLock lock(&state_->mutex);
  state_->stopping = true;
  for (const auto& flight : state_->running) flight->control.Stop();
  const auto gone = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mutex) {
    return state_->threads == 0;
  };
  state_->mutex.AwaitWithTimeout(absl::Condition(&gone), kGrace);
}

absl::StatusOr<std::string> CompileService::Digest(const ProgramSource& source,
                                                   const CompileOptions& options) const {
  return WithinMemory("find this program's digest", [&]() -> absl::StatusOr<std::string> {
    absl::StatusOr<std::shared_ptr<DeviceSlot>> slot = state_->SlotOf(options.device);
    if (!slot.ok()) return slot.status();
    return ProgramDigest(state_->text_digests.Identify(source).digests,
                         state_->TargetFor(**slot, options));
  });
}

absl::StatusOr<CheckResult> CompileService::Check(const ProgramSource& source,
                                                  const CompileOptions& options,
                                                  CheckPurpose purpose,
                                                  const WaitLimit& limit) const {
  return WithinMemory("check this program",
                      [&] { return state_->Check(source, options.device, purpose, limit); });
}

absl::StatusOr<CompileResult> CompileService::Compile(ProgramSource source,
                                                      const CompileOptions& options,
                                                      const WaitLimit& limit,
                                                      const CompileCaller& caller) {
  return WithinMemory("compile this program", [&]() -> absl::StatusOr<CompileResult> {
    absl::StatusOr<std::shared_ptr<DeviceSlot>> slot = state_->SlotOf(options.device);
    if (!slot.ok()) return slot.status();
    if (absl::Status size = state_->CheckSize(source); !size.ok()) return size;
    IdentifiedSource identified = state_->text_digests.Identify(source);
    Request request{.slot = *slot,
                    .target = state_->TargetFor(**slot, options),
                    .name = source.name,
                    .caller = caller};
    request.digest = ProgramDigest(identified.digests, request.target);
    request.text_sha256 = std::move(identified.text_sha256);
    request.source = std::move(source);
    return state_->WithOwnDiagnostics(request, state_->Run(request, limit), limit);
  });
}

absl::StatusOr<CompileResult> CompileService::CompileByDigest(std::string_view digest,
                                                              const CompileOptions& options,
                                                              std::string_view name,
                                                              const WaitLimit& limit,
                                                              const CompileCaller& caller) {
  if (!IsDigest(digest)) {
    return absl::InvalidArgumentError("not a digest: 64 lower-case hexadecimal digits");
  }
  return WithinMemory("find this kernel", [&]() -> absl::StatusOr<CompileResult> {
    absl::StatusOr<std::shared_ptr<DeviceSlot>> slot = state_->SlotOf(options.device);
    if (!slot.ok()) return slot.status();
    const Request request{.digest = std::string(digest),
                          .slot = *slot,
                          .target = state_->TargetFor(**slot, options),
                          .name = std::string(name),
                          .caller = caller};
    return state_->Run(request, limit).result;
  });
}

std::vector<std::shared_ptr<Kernel>> CompileService::Resident() const {
  absl::MutexLock lock(&state_->mutex);
  std::vector<std::shared_ptr<Kernel>> kernels;
  for (const auto& [digest, entry] : state_->resident) {
    if (std::shared_ptr<Kernel> kernel = entry.kernel.lock()) kernels.push_back(std::move(kernel));
  }
  return kernels;
}

CompileService::Counters CompileService::counters() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->counters;
}

}  // namespace anex::engine
