#include "server/engine/run/work_sources.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/time/clock.h"

namespace anex::engine {
namespace {

// More than a ring has entries: a look at one that holds only what is refused takes one of them.
constexpr int kMostLooks = 8192;
// What somebody takes who looks after all sources of everybody.
constexpr int kMostRefusalsInPassing = 16;
// One source gets so many in a look, and one once others have had half of what all get.
constexpr size_t kMostOfOne = 16;
// While the device has work, refusals to suspects take one part in so many of the time, and one.
constexpr int64_t kSuspectsRest = 8;
// Without memory to wait for all of them at once: looks again after that.
constexpr absl::Duration kWithoutRoom = absl::Milliseconds(1);

int PollTimeout(absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return -1;
  // Rounded up: a moment too early would be a turn for nothing.
  return static_cast<int>(absl::ToInt64Milliseconds(
      std::clamp(timeout + absl::Nanoseconds(999'999), absl::ZeroDuration(), absl::Hours(1))));
}

}  // namespace

void WorkSources::Attach(std::shared_ptr<WorkSource> source) {
  {
    absl::MutexLock lock(&mutex_);
    sources_.push_back({std::move(source)});
    attached_.store(sources_.size(), std::memory_order_relaxed);
  }
  sleeper_.Wake();
}

void WorkSources::Detach(const std::shared_ptr<WorkSource>& source, bool last_look) {
  {
    absl::MutexLock lock(&mutex_);
    const auto same = [&](const Asked& one) { return one.source == source; };
    if (std::erase_if(sources_, same) == 0) return;
    attached_.store(sources_.size(), std::memory_order_relaxed);
  }
  // It is this thread's alone now, and nobody waits for it. Who goes on putting in is not waited
  // for either.
  int looks = last_look ? kMostLooks : 0;
  while (looks > 0 && source->Poll(kMostOfOne).entries > 0) --looks;
  sleeper_.Wake();  // a thread that sleeps on it lets go of it
}

// One round at most, and the next one begins behind the last that was asked, or, if all were, with
// another one than this. What a clean one has refused is charged as the least there is, without a
// look at the clock; suspects pay for what they take.
void WorkSources::AskLocked(bool suspects, size_t& next, Budget& left, const Clock& clock) {
  size_t asked = 0;
  for (; asked < sources_.size() && left.entries > 0 && left.refusals > 0; ++asked) {
    if (next >= sources_.size()) next = 0;
    Asked& one = sources_[next++];
    if (one.suspect != suspects) continue;
    const size_t most = left.entries > kMostEntries / 2 ? kMostOfOne : 1;
    const int64_t begin_ns = suspects ? clock.Now() : 0;
    const WorkSource::Taken taken = one.source->Poll(most);
    left.entries -= std::min(left.entries, taken.entries);
    if (taken.entries > 0) one.suspect = taken.refused;
    if (!taken.refused) continue;
    --left.refusals;
    one.source->Charge(suspects ? clock.Now() - begin_ns : 0);
  }
  if (asked == sources_.size()) next = next % std::max<size_t>(asked, 1) + 1;
}

size_t WorkSources::Poll(const Clock& clock, int64_t now_ns, bool idle) {
  if (attached_.load(std::memory_order_relaxed) == 0) return 0;
  absl::MutexLock lock(&mutex_);
  Budget left;
  AskLocked(/*suspects=*/false, next_, left, clock);
  const auto suspect = [](const Asked& one) { return one.suspect; };
  if ((idle || now_ns >= suspects_after_ns_) &&
      std::any_of(sources_.begin(), sources_.end(), suspect)) {
    const int64_t begin_ns = clock.Now();
    AskLocked(/*suspects=*/true, next_suspect_, left, clock);
    const int64_t end_ns = clock.Now();
    suspects_after_ns_ = end_ns + kSuspectsRest * (end_ns - begin_ns);
  }
  const auto finished = [](const Asked& one) { return one.source->finished(); };
  if (std::erase_if(sources_, finished) > 0) {
    attached_.store(sources_.size(), std::memory_order_relaxed);
  }
  return kMostEntries - left.entries;
}

void WorkSources::TakeFrom(const std::shared_ptr<WorkSource>& source) {
  TakeFrom(source, kMostLooks);
}

void WorkSources::TakeFrom(const std::shared_ptr<WorkSource>& source, int most_refusals) {
  const auto same = [&](const Asked& one) { return one.source == source; };
  for (int looks = 0; looks < kMostLooks && most_refusals > 0; ++looks) {
    absl::MutexLock lock(&mutex_);  // anew each time: the device thread waits for one look at most
    if (std::none_of(sources_.begin(), sources_.end(), same)) return;
    const WorkSource::Taken taken = source->Poll(kMostOfOne);
    if (taken.entries == 0) return;
    if (taken.refused) --most_refusals;
  }
}

void WorkSources::TakeFromAll() {
  if (attached_.load(std::memory_order_relaxed) == 0) return;
  std::vector<std::shared_ptr<WorkSource>> sources;
  {
    absl::MutexLock lock(&mutex_);
    for (const Asked& one : sources_) sources.push_back(one.source);
  }
  for (const std::shared_ptr<WorkSource>& source : sources) {
    TakeFrom(source, kMostRefusalsInPassing);
  }
}

bool WorkSources::HasWorkLocked() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const Asked& one) { return one.source->HasWork(); });
}

bool WorkSources::Look(uint32_t seen) {
  look_.emplace(gaps_);
  const bool found = look_->For([&] {
    if (sleeper_.news() != seen) return true;
    if (attached_.load(std::memory_order_relaxed) == 0) return false;
    absl::MutexLock lock(&mutex_);
    return HasWorkLocked();
  });
  if (found) look_.reset();
  return found;
}

bool WorkSources::PrepareLocked(uint32_t seen) {
  if (!sleeper_.Prepare(seen)) return false;
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].source->PrepareToSleep()) continue;
    for (size_t j = 0; j < i; ++j) sources_[j].source->Awake(/*rang=*/false);
    sleeper_.Awake(/*rang=*/false);
    return false;
  }
  return true;
}

bool WorkSources::MakeRoomLocked() {
  try {
    polled_.reserve(sources_.size() + 1);
    awaited_.reserve(sources_.size());
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void WorkSources::Sleep(uint32_t seen, absl::Duration timeout) {
  bool room = false;
  {
    absl::MutexLock lock(&mutex_);
    room = MakeRoomLocked();
    if (room && !PrepareLocked(seen)) return look_.reset();
    for (size_t i = 0; room && i < sources_.size(); ++i) awaited_.push_back(sources_[i].source);
  }
  if (!room) return absl::SleepFor(kWithoutRoom);
  polled_.clear();
  polled_.push_back({sleeper_.poll_descriptor(), POLLIN, 0});
  for (const auto& source : awaited_) polled_.push_back({source->poll_descriptor(), POLLIN, 0});
  sleeps_.fetch_add(1, std::memory_order_relaxed);
  // An error (EINTR, EAGAIN) is a wake-up for nothing.
  const bool ready = ::poll(polled_.data(), polled_.size(), PollTimeout(timeout)) > 0;
  if (look_.has_value()) look_->Slept(ready);
  look_.reset();
  sleeper_.Awake(ready && polled_[0].revents != 0);
  {
    absl::MutexLock lock(&mutex_);  // who was detached meanwhile is nobody's to call
    auto still = sources_.begin();  // sources leave from anywhere and come at the end
    for (size_t i = 0; i < awaited_.size() && still != sources_.end(); ++i) {
      if (still->source != awaited_[i]) continue;
      (still++)->source->Awake(ready && polled_[i + 1].revents != 0);
    }
  }
  awaited_.clear();
}

}  // namespace anex::engine
