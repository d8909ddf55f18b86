// Modes that run one kernel at a time: what the experiment had from the first.
#include <deque>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/bench/lane_way.h"
#include "client/cli/bench/mode_makers.h"

namespace anex::bench {
namespace {

// What modes on one lane of the main session share.
class LaneMode : public Mode {
 public:
  LaneMode(Rig& rig, const Stages& stages, bool in_process)
      : rig_(rig), stages_(stages), in_process_(in_process) {}

  absl::Status Begin() override { return way_.Open(rig_); }
  void End() override { way_.Close(); }
  absl::StatusOr<uint64_t> CountRuns() const override { return rig_.CountRuns(); }

 protected:
  absl::Status Prime() {
    absl::Status primed = way_.Prime(rig_);
    if (!primed.ok()) return primed;
    Claim(LaneWay::kPrimes);
    if (in_process_) {
      SetWay("in-process");
    } else {
      SetWay(std::string(SubmitModeName(way_.lane().path())), way_.lane().note());
    }
    return primed;
  }

  Rig& rig_;
  const Stages& stages_;
  const bool in_process_;
  LaneWay way_;
};

class Sequential final : public LaneMode {
 public:
  Sequential(Rig& rig, const Stages& stages, bool in_process, bool copies)
      : LaneMode(rig, stages, in_process), copies_(copies) {}

  void Feed(uint64_t pass) override { stages_.FillInputs(pass, feed()); }
  absl::StatusOr<PassTiming> Run(Plan plan) override {
    if (absl::Status primed = Prime(); !primed.ok()) return primed;
    PassTiming timing;
    const int64_t start = NowNs();
    for (const int i : plan) {
      absl::Status run = way_.Run(stages_.invocation(i), timing.device_ns);
      if (!run.ok()) return run;
      if (copies_ && i + 1 < kKernels) stages_.CopyOn(i);
    }
    timing.ns = NowNs() - start;
    Claim(kKernels);
    return timing;
  }
  absl::Status Verify(uint64_t pass) override { return stages_.Verify(pass, feed()); }

 private:
  bench::Feed feed() const { return copies_ ? bench::Feed::kFirst : bench::Feed::kEach; }

  const bool copies_;
};

class CopyOnly final : public Mode {
 public:
  CopyOnly(Rig& rig, const Stages& stages, bool in_process) : rig_(rig), stages_(stages) {
    SetWay(in_process ? "in-process" : "memory");
  }
  void Feed(uint64_t pass) override { stages_.FillOutputs(pass); }
  absl::StatusOr<PassTiming> Run(Plan plan) override {
    const int64_t start = NowNs();
    for (const int i : plan) {
      if (i + 1 < kKernels) stages_.CopyOn(i);
    }
    return PassTiming{.ns = NowNs() - start};
  }
  absl::Status Verify(uint64_t pass) override { return stages_.VerifyCopies(pass); }
  absl::StatusOr<uint64_t> CountRuns() const override { return rig_.CountRuns(); }

 private:
  Rig& rig_;
  const Stages& stages_;
};

// Jobs for one thread that does them in order; Finish waits for all. As a serial dispatch queue.
class JobQueue {
 public:
  using Job = std::function<absl::Status()>;

  JobQueue() : thread_([this] { Work(); }) {}
  ~JobQueue() {
    {
      absl::MutexLock lock(&mutex_);
      over_ = true;
    }
    thread_.join();
  }
  void Put(Job job) {
    absl::MutexLock lock(&mutex_);
    jobs_.push_back(std::move(job));
    ++open_;
  }
  // The first that went wrong since the last Finish.
  absl::Status Finish() {
    absl::MutexLock lock(&mutex_);
    const auto none_open = [this] {
      mutex_.AssertReaderHeld();
      return open_ == 0;
    };
    mutex_.Await(absl::Condition(&none_open));
    return std::exchange(first_, absl::OkStatus());
  }

 private:
  void Work() {
    const auto has_work = [this] {
      mutex_.AssertReaderHeld();
      return over_ || !jobs_.empty();
    };
    for (;;) {
      mutex_.LockWhen(absl::Condition(&has_work));
      if (jobs_.empty()) return mutex_.Unlock();
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      mutex_.Unlock();
      absl::Status done = job();
      absl::MutexLock lock(&mutex_);
      first_.Update(done);
      --open_;
    }
  }

  absl::Mutex mutex_;
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  size_t open_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status first_ ABSL_GUARDED_BY(mutex_);
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: begins when all else is there
};

class SerialQueue final : public LaneMode {
 public:
  using LaneMode::LaneMode;

  absl::Status Begin() override {
    queue_ = std::make_unique<JobQueue>();
    return LaneMode::Begin();
  }
  void End() override {
    queue_.reset();
    LaneMode::End();
  }
  void Feed(uint64_t pass) override { stages_.FillInputs(pass, bench::Feed::kEach); }
  absl::StatusOr<PassTiming> Run(Plan plan) override {
    queue_->Put([this] { return Prime(); });
    if (absl::Status primed = queue_->Finish(); !primed.ok()) return primed;
    PassTiming timing;
    const int64_t start = NowNs();
    for (const int i : plan) {
      queue_->Put([&, i] { return way_.Run(stages_.invocation(i), timing.device_ns); });
    }
    if (absl::Status ran = queue_->Finish(); !ran.ok()) return ran;
    timing.ns = NowNs() - start;
    Claim(kKernels);
    return timing;
  }
  absl::Status Verify(uint64_t pass) override { return stages_.Verify(pass, bench::Feed::kEach); }

 private:
  std::unique_ptr<JobQueue> queue_;
};

// Mode on the main session's stages of `wiring`.
template <typename Made, typename... More>
MadeMode OnApart(Site& site, More... more) {
  const absl::StatusOr<Rig*> rig = site.Main();
  if (!rig.ok()) return rig.status();
  const absl::StatusOr<const Stages*> stages = (*rig)->Apart();
  if (!stages.ok()) return stages.status();
  return std::make_unique<Made>(**rig, **stages, site.in_process(), more...);
}

}  // namespace

MadeMode MakeSequential(Site& site, bool copies) { return OnApart<Sequential>(site, copies); }
MadeMode MakeCopyOnly(Site& site) { return OnApart<CopyOnly>(site); }
MadeMode MakeSerialQueue(Site& site) { return OnApart<SerialQueue>(site); }

}  // namespace anex::bench
