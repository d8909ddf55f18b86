#include "server/engine/run/work_sources.h"

#include <algorithm>
#include <utility>

namespace anex::engine {
namespace {

// More than a ring has entries: a look at one that holds only what is refused takes one of them.
constexpr int kMostLooks = 8192;

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
    sources_.push_back(std::move(source));
    attached_.store(sources_.size(), std::memory_order_relaxed);
  }
  sleeper_.Wake();
}

void WorkSources::Detach(const std::shared_ptr<WorkSource>& source, bool last_look) {
  {
    absl::MutexLock lock(&mutex_);
    if (std::erase(sources_, source) == 0) return;
    attached_.store(sources_.size(), std::memory_order_relaxed);
  }
  // It is this thread's alone now, and nobody waits for it. Who goes on putting in is not waited
  // for either.
  for (int looks = last_look ? kMostLooks : 0; looks > 0 && source->Poll() > 0;) --looks;
  sleeper_.Wake();  // a thread that sleeps on it lets go of it
}

size_t WorkSources::Poll() {
  if (attached_.load(std::memory_order_relaxed) == 0) return 0;
  size_t taken = 0;
  absl::MutexLock lock(&mutex_);
  bool finished = false;
  for (const std::shared_ptr<WorkSource>& source : sources_) {
    taken += source->Poll();
    finished |= source->finished();
  }
  if (finished) {
    std::erase_if(sources_, [](const auto& source) { return source->finished(); });
    attached_.store(sources_.size(), std::memory_order_relaxed);
  }
  return taken;
}

void WorkSources::TakeFrom(const std::shared_ptr<WorkSource>& source) {
  for (int looks = 0; looks < kMostLooks; ++looks) {
    absl::MutexLock lock(&mutex_);  // anew each time: the device thread waits for one look at most
    if (std::find(sources_.begin(), sources_.end(), source) == sources_.end()) return;
    if (source->Poll() == 0) return;
  }
}

void WorkSources::TakeFromAll() {
  if (attached_.load(std::memory_order_relaxed) == 0) return;
  std::vector<std::shared_ptr<WorkSource>> sources;
  {
    absl::MutexLock lock(&mutex_);
    sources = sources_;
  }
  for (const std::shared_ptr<WorkSource>& source : sources) TakeFrom(source);
}

bool WorkSources::HasWorkLocked() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const auto& source) { return source->HasWork(); });
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
    if (sources_[i]->PrepareToSleep()) continue;
    for (size_t j = 0; j < i; ++j) sources_[j]->Awake(/*rang=*/false);
    sleeper_.Awake(/*rang=*/false);
    return false;
  }
  return true;
}

void WorkSources::Sleep(uint32_t seen, absl::Duration timeout) {
  polled_.clear();
  polled_.push_back({sleeper_.poll_descriptor(), POLLIN, 0});
  {
    absl::MutexLock lock(&mutex_);
    if (!PrepareLocked(seen)) return look_.reset();
    awaited_ = sources_;
  }
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
      if (*still != awaited_[i]) continue;
      (*still++)->Awake(ready && polled_[i + 1].revents != 0);
    }
  }
  awaited_.clear();
}

}  // namespace anex::engine
