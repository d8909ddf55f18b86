#include "server/engine/run/step_runner.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/values/status_words.h"
#include "proto/values/within_memory.h"

namespace anex::engine {
namespace {

// step_ns of a chain of a million steps would be larger than any message; the first ones are kept.
constexpr size_t kMostStepTimings = 65536;
// A tenth of a millisecond where memory gives 10 GB/s, a third of one for pages touched first.
constexpr uint64_t kCopyPieceBytes = 1 << 20;
// And where the elements lie apart: some ten nanoseconds each.
constexpr uint64_t kCopyPieceRuns = 1 << 13;

ChainShape ShapeOf(const Chain& chain) {
  return {.steps = static_cast<uint32_t>(chain.steps().size()),
          .repeat = chain.repeat(),
          .between = static_cast<uint32_t>(chain.between().size()),
          .final_copies = static_cast<uint32_t>(chain.final_copies().size())};
}

// "12.345 ms". REQUIRES: ns >= 0.
std::string Milliseconds(int64_t ns) {
  return absl::StrCat(ns / 1'000'000, ".", absl::Dec(ns / 1000 % 1000, absl::kZeroPad3), " ms");
}

StepResult Failed(absl::Status status) { return {.status = std::move(status)}; }
StepResult Blocked() { return {.kind = StepResult::Kind::kBlocked}; }

// A run on the device, between Enter and Leave of the watch. Nothing of the dispatcher and no clock
// is touched once it has been abandoned.
StepResult RunKernel(const Invocation& invocation, uint32_t mask, Job& job, RunWatch& watch,
                     const Clock& clock, int64_t now_ns) {
  watch.Enter(now_ns);
  const absl::StatusOr<device::RunStats> stats =
      WithinMemory("run this kernel", [&]() -> absl::StatusOr<device::RunStats> {
        absl::StatusOr<device::Request*> request = invocation.BorrowRequest(mask, *job.control);
        if (!request.ok()) return request.status();
        return (*request)->Run(*job.control);
      });
  if (!watch.Leave()) return {.kind = StepResult::Kind::kAbandoned};
  StepResult result{.kernel = &invocation.kernel(), .ran = stats.ok(), .end_ns = clock.Now()};
  if (stats.ok()) {
    result.device_ns = stats->device_ns;
    job.completion.device_ns += stats->device_ns;
  } else {  // a run that fails had the device too, and its time is charged
    result.status = stats.status();
    result.device_ns = result.end_ns - now_ns;
  }
  return result;
}

// A piece of a copy: others have their turns between two of them.
StepResult Copy(const SurfaceCopy& copy, Job& job, const Clock& clock, int64_t now_ns) {
  StepResult result{
      .status = copy.Run(job.copied, std::min(kCopyPieceBytes, kCopyPieceRuns * copy.run_bytes())),
      .end_ns = clock.Now()};
  result.device_ns = result.end_ns - now_ns;
  if (result.status.ok() && job.copied < copy.bytes()) {
    result.kind = StepResult::Kind::kMore;
    result.inside_step = true;
    job.step_spent_ns += result.device_ns;
  } else {
    job.copied = 0;
  }
  return result;
}

StepResult Publish(ParameterSet& set, uint64_t expected, Job& job) {
  absl::StatusOr<uint64_t> generation = set.PublishOpen(expected);
  if (!generation.ok()) return Failed(generation.status());
  job.completion.generation = *generation;
  return {};
}

StepResult SignalOrWait(const FenceStep& step, const Job& job) {
  if (step.signal) return Failed(step.fence->Signal(step.value));
  absl::StatusOr<bool> reached = step.fence->Reached(step.value, job.waiter);
  if (!reached.ok()) return Failed(reached.status());
  return *reached ? StepResult{} : Blocked();
}

// True when the sets are pinned; a status or blocked otherwise, in `result`.
bool Pin(std::span<const std::shared_ptr<ParameterSet>> sets, Job& job, StepResult& result) {
  if (sets.empty() || !job.pins.empty()) return true;
  absl::StatusOr<bool> pinned = PinAll(sets, job.pins, job.waiter);
  if (!pinned.ok()) {
    result = Failed(pinned.status());
    return false;
  }
  if (!*pinned) {
    result = Blocked();
    return false;
  }
  if (job.completion.generation == 0) job.completion.generation = job.pins.front().generation();
  return true;
}

StepResult RunInvocation(const Invocation& invocation, Job& job, RunWatch& watch,
                         const Clock& clock, int64_t now_ns) {
  StepResult result;
  if (!Pin(invocation.sets(), job, result)) return result;
  return RunKernel(invocation, Invocation::MaskOf(job.pins), job, watch, clock, now_ns);
}

StepResult DoChainStep(const Chain& chain, Job& job, RunWatch& watch, const Clock& clock,
                       int64_t now_ns) {
  const ChainCursor& at = job.cursor;
  if (at.phase() == ChainCursor::Phase::kBetween) {
    return Copy(chain.between()[at.index()], job, clock, now_ns);
  }
  if (at.phase() == ChainCursor::Phase::kFinal) {
    return Copy(chain.final_copies()[at.index()], job, clock, now_ns);
  }
  const Step& step = chain.steps()[at.index()];
  if (const auto* run = std::get_if<RunStep>(&step)) {
    return RunKernel(run->invocation(at.iteration()), run->MaskFor(job.pins), job, watch, clock,
                     now_ns);
  }
  if (const auto* copy = std::get_if<CopyStep>(&step)) {
    return Copy(copy->copy(at.iteration()), job, clock, now_ns);
  }
  if (const auto* publish = std::get_if<PublishStep>(&step)) return Publish(*publish->set, 0, job);
  return SignalOrWait(std::get<FenceStep>(step), job);
}

StepResult WalkChain(const Chain& chain, Job& job, RunWatch& watch, const Clock& clock,
                     int64_t now_ns) {
  StepResult result;
  const bool begins = job.cursor.at_iteration_start();
  // Before anything has been done, or a want of memory would be found in the middle of it.
  if (job.item.step_timings && job.completion.steps_done == 0) {
    job.completion.step_ns.reserve(
        std::min<uint64_t>(chain.steps().size() * uint64_t{chain.repeat()}, kMostStepTimings));
  }
  if (begins && !Pin(chain.sets(), job, result)) return result;
  result = DoChainStep(chain, job, watch, clock, now_ns);
  if (result.end_ns == 0 && result.kind != StepResult::Kind::kAbandoned) {
    result.end_ns = clock.Now();
  }
  if (result.kind != StepResult::Kind::kFinished) {
    // A first step that waits for a fence must not hold the sets from their writers meanwhile.
    if (result.kind == StepResult::Kind::kBlocked && begins) job.pins.clear();
    return result;
  }
  if (!result.status.ok()) {
    result.status = absl::Status(result.status.code(),
                                 absl::StrCat(DescribeStep(job), ": ", result.status.message()));
    return result;
  }
  const int64_t spent_ns = std::exchange(job.step_spent_ns, 0) + result.end_ns - now_ns;
  const bool counts = job.cursor.phase() == ChainCursor::Phase::kStep;
  if (counts) ++job.completion.steps_done;
  if (counts && job.item.step_timings && job.completion.step_ns.size() < kMostStepTimings) {
    job.completion.step_ns.push_back(spent_ns);
  }
  job.cursor.Advance(ShapeOf(chain));
  if (job.cursor.at_iteration_start() || job.cursor.phase() != ChainCursor::Phase::kStep) {
    job.pins.clear();
  }
  if (!job.cursor.done()) result.kind = StepResult::Kind::kMore;
  return result;
}

}  // namespace

StepResult DoStep(Job& job, RunWatch& watch, const Clock& clock, int64_t now_ns) {
  if (const auto* chain = std::get_if<std::shared_ptr<const Chain>>(&job.item.work)) {
    return WalkChain(**chain, job, watch, clock, now_ns);
  }
  StepResult result;
  if (const auto* run = std::get_if<std::shared_ptr<const Invocation>>(&job.item.work)) {
    result = RunInvocation(**run, job, watch, clock, now_ns);
  } else if (const auto* publish = std::get_if<PublishWork>(&job.item.work)) {
    result = Publish(*publish->set, publish->expected_generation, job);
  } else {
    result = SignalOrWait(std::get<FenceStep>(job.item.work), job);
  }
  if (result.kind == StepResult::Kind::kFinished && result.status.ok()) {
    job.completion.steps_done = 1;
  }
  return result;
}

bool IsChain(const Work& work) {
  return std::holds_alternative<std::shared_ptr<const Chain>>(work);
}

uint64_t TurnsOf(const Work& work) {
  return IsChain(work) ? ShapeOf(*std::get<std::shared_ptr<const Chain>>(work)).turns() : 1;
}

size_t SetsOf(const Work& work) {
  if (IsChain(work)) return std::get<std::shared_ptr<const Chain>>(work)->sets().size();
  const auto* run = std::get_if<std::shared_ptr<const Invocation>>(&work);
  return run == nullptr ? 0 : (*run)->sets().size();
}

Kernel* KernelOf(const Work& work) {
  const auto* run = std::get_if<std::shared_ptr<const Invocation>>(&work);
  return run == nullptr ? nullptr : &(*run)->kernel();
}

std::string DescribeStep(const Job& job) {
  if (!std::holds_alternative<std::shared_ptr<const Chain>>(job.item.work)) {
    return "the run of an invocation";
  }
  const ChainCursor& at = job.cursor;
  const char* what = at.phase() == ChainCursor::Phase::kStep      ? "step "
                     : at.phase() == ChainCursor::Phase::kBetween ? "loopback copy "
                                                                  : "final copy ";
  return absl::StrCat(what, at.index(), " of iteration ", at.iteration(), " of the chain");
}

absl::Status LateStatus(const Job& job, int64_t now_ns) {
  return InWordsIfRoom(absl::StatusCode::kDeadlineExceeded, [&] {
    const std::string since = Milliseconds(now_ns - job.accepted_ns);
    const std::string allowed = Milliseconds(job.item.deadline_ns - job.accepted_ns);
    const std::string where =
        job.started_ns == 0
            ? absl::StrCat("in the queue, where it has waited ", since)
            : absl::StrCat("between two steps, ", since, " after it was accepted and after ",
                           job.completion.steps_done, " steps");
    return absl::DeadlineExceededError(absl::StrCat("the deadline of ", allowed, " passed ", where,
                                                    "; ", DescribeStep(job), " was not run"));
  });
}

absl::Status LateStatusOfRun(const Job& job, int64_t now_ns) {
  return InWordsIfRoom(absl::StatusCode::kDeadlineExceeded, [&] {
    return absl::DeadlineExceededError(absl::StrCat(
        "the deadline of ", Milliseconds(job.item.deadline_ns - job.accepted_ns), " passed during ",
        DescribeStep(job), ", which was stopped ", Milliseconds(now_ns - job.accepted_ns),
        " after it was accepted; what it was writing holds nothing of use"));
  });
}

const Invocation* InvocationOf(const Job& job) {
  if (const auto* run = std::get_if<std::shared_ptr<const Invocation>>(&job.item.work)) {
    return run->get();
  }
  const auto* chain = std::get_if<std::shared_ptr<const Chain>>(&job.item.work);
  if (chain == nullptr || job.cursor.phase() != ChainCursor::Phase::kStep) return nullptr;
  const auto* run = std::get_if<RunStep>(&(*chain)->steps()[job.cursor.index()]);
  return run == nullptr ? nullptr : &run->invocation(job.cursor.iteration());
}

}  // namespace anex::engine
