// Modes that choose how submissions travel: a call each, a stream, a ring; and tensors in messages.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/anex/submission_queue.h"
#include "client/cli/bench/lane_way.h"
#include "client/cli/bench/mode_makers.h"

namespace anex::bench {
namespace {

class Queued final : public Mode {
 public:
  Queued(Rig& rig, const Stages& stages, SubmitMode path, uint32_t depth)
      : rig_(rig), stages_(stages), path_(path), depth_(depth) {}

  absl::Status Begin() override {
    if (absl::Status opened = way_.Open(rig_); !opened.ok()) return opened;
    absl::StatusOr<SubmissionQueue> queue = way_.lane().OpenQueue(depth_, path_);
    if (!queue.ok()) return queue.status();
    queue_ = *std::move(queue);
    SetWay(std::string(SubmitModeName(queue_.path())), std::string(queue_.note()));
    return absl::OkStatus();
  }
  void End() override {
    queue_ = SubmissionQueue();
    way_.Close();
  }

  void Feed(uint64_t pass) override { stages_.FillInputs(pass, bench::Feed::kEach); }
  absl::StatusOr<PassTiming> Run(Plan plan) override {
    if (absl::Status primed = Prime(); !primed.ok()) return primed;
    PassTiming timing;
    const int64_t start = NowNs();
    size_t sent = 0;
    for (size_t done = 0; done < plan.size(); ++done) {
      for (; sent < plan.size() && sent - done < depth_; ++sent) {
        absl::Status put = queue_.Submit(way_.lane(), stages_.invocation(plan[sent]), ++last_sent_);
        if (!put.ok()) return put;
      }
      if (absl::Status taken = TakeNext(timing.device_ns); !taken.ok()) return taken;
    }
    timing.ns = NowNs() - start;
    Claim(kKernels);
    return timing;
  }
  absl::Status Verify(uint64_t pass) override { return stages_.Verify(pass, bench::Feed::kEach); }
  absl::StatusOr<uint64_t> CountRuns() const override { return rig_.CountRuns(); }

 private:
  absl::Status Prime() {
    for (int i = 0; i < LaneWay::kPrimes; ++i) {
      absl::Status put = queue_.Submit(way_.lane(), rig_.primer(), ++last_sent_);
      int64_t ignored = 0;
      if (put.ok()) put = TakeNext(ignored);
      if (!put.ok()) return put;
    }
    Claim(LaneWay::kPrimes);
    return absl::OkStatus();
  }
  // The next completion, which must be that of the next submission: a lane is a FIFO.
  absl::Status TakeNext(int64_t& device_ns) {
    const absl::StatusOr<Completion> next = queue_.Next();
    if (!next.ok()) return next.status();
    if (!next->status.ok()) return next->status;
    if (next->user_data != ++last_taken_) {
      return absl::DataLossError(absl::StrCat("completion ", next->user_data, " came where ",
                                              last_taken_,
                                              " was due: lost, doubled or out of order"));
    }
    device_ns += next->device_ns;
    return absl::OkStatus();
  }

  Rig& rig_;
  const Stages& stages_;
  const SubmitMode path_;
  const uint32_t depth_;
  LaneWay way_;
  SubmissionQueue queue_;
  uint64_t last_sent_ = 0, last_taken_ = 0;
};

// Input and output of every run travel in messages, for clients that cannot map memory.
class Inline final : public Mode {
 public:
  Inline(Rig& rig, const Stages& stages) : rig_(rig), stages_(stages), read_(kKernels) {}

  absl::Status Begin() override {
    if (absl::Status opened = way_.Open(rig_); !opened.ok()) return opened;
    absl::StatusOr<SubmissionQueue> queue = way_.lane().OpenQueue(1, SubmitMode::kUnary);
    if (!queue.ok()) return queue.status();
    queue_ = *std::move(queue);
    SetWay("messages");
    return absl::OkStatus();
  }
  void End() override {
    queue_ = SubmissionQueue();
    way_.Close();
  }
  void Feed(uint64_t pass) override {
    inputs_.clear();
    for (int i = 0; i < kKernels; ++i) inputs_.push_back(stages_.InputBytes(pass, i));
    std::fill(read_.begin(), read_.end(), "");
  }
  absl::StatusOr<PassTiming> Run(Plan plan) override {
    PassTiming timing;
    if (absl::Status primed = RunOne(rig_.primer(), timing.device_ns); !primed.ok()) return primed;
    timing.device_ns = 0;
    const int64_t start = NowNs();
    for (const int i : plan) {
      absl::Status written = stages_.in(i).WriteThroughTransport(inputs_[static_cast<size_t>(i)]);
      if (written.ok()) written = RunOne(stages_.invocation(i), timing.device_ns);
      if (!written.ok()) return written;
      absl::StatusOr<std::string> read = stages_.out(i).ReadThroughTransport();
      if (!read.ok()) return read.status();
      read_[static_cast<size_t>(i)] = *std::move(read);
    }
    timing.ns = NowNs() - start;
    Claim(kKernels + 1);
    return timing;
  }
  absl::Status Verify(uint64_t pass) override {
    for (int i = 0; i < kKernels; ++i) {
      absl::Status same = stages_.VerifyBytes(pass, i, read_[static_cast<size_t>(i)]);
      if (!same.ok()) return same;
    }
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> CountRuns() const override { return rig_.CountRuns(); }

 private:
  absl::Status RunOne(const Invocation& invocation, int64_t& device_ns) {
    if (absl::Status put = queue_.Submit(way_.lane(), invocation); !put.ok()) return put;
    const absl::StatusOr<Completion> next = queue_.Next();
    if (!next.ok()) return next.status();
    device_ns += next->device_ns;
    return next->status;
  }

  Rig& rig_;
  const Stages& stages_;
  LaneWay way_;
  SubmissionQueue queue_;
  std::vector<std::string> inputs_, read_;
};

}  // namespace

MadeMode MakeQueued(Site& site, SubmitMode path, uint32_t depth) {
  const absl::StatusOr<Rig*> rig = site.Main();
  if (!rig.ok()) return rig.status();
  const absl::StatusOr<const Stages*> stages = (*rig)->Apart();
  if (!stages.ok()) return stages.status();
  return std::make_unique<Queued>(**rig, **stages, path, depth);
}

MadeMode MakeInline(Site& site) {
  const absl::StatusOr<Rig*> rig = site.Main();
  if (!rig.ok()) return rig.status();
  const absl::StatusOr<const Stages*> stages = (*rig)->Apart();
  if (!stages.ok()) return stages.status();
  return std::make_unique<Inline>(**rig, **stages);
}

}  // namespace anex::bench
