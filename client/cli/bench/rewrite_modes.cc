// Modes that give a kernel new weights before every run, through mapped memory or in messages.
#include "client/cli/bench/lane_way.h"
#include "client/cli/bench/mode_makers.h"

namespace anex::bench {
namespace {

// Run i of a pass has kernel i's weights, as floats that are rounded once on their way.
class Rewrite final : public Mode {
 public:
  Rewrite(Rig& rig, const Rig::Rewritable& target, bool in_process, bool streamed)
      : rig_(rig), target_(target), in_process_(in_process), streamed_(streamed) {}

  absl::Status Begin() override { return way_.Open(rig_); }
  void End() override { way_.Close(); }
  void Feed(uint64_t pass) override { stages().FillInputs(pass, bench::Feed::kEach); }
  absl::StatusOr<PassTiming> Run(Plan plan) override {
    if (absl::Status primed = way_.Prime(rig_); !primed.ok()) return primed;
    if (in_process_) {
      SetWay("in-process");
    } else {
      SetWay(std::string(SubmitModeName(way_.lane().path())), way_.lane().note());
    }
    PassTiming timing;
    const int64_t start = NowNs();
    for (const int i : plan) {
      absl::Status done = Write(i);
      if (done.ok()) done = way_.Run(stages().invocation(i), timing.device_ns);
      if (!done.ok()) return done;
    }
    timing.ns = NowNs() - start;
    Claim(kKernels + LaneWay::kPrimes);
    return timing;
  }
  absl::Status Verify(uint64_t pass) override { return stages().Verify(pass, bench::Feed::kEach); }
  absl::StatusOr<uint64_t> CountRuns() const override { return rig_.CountRuns(); }

 private:
  const Stages& stages() const { return *target_.stages; }
  absl::Status Write(int i) {
    absl::StatusOr<WriteGuard> guard = target_.set.BeginWrite();
    if (!guard.ok()) return guard.status();
    const std::vector<float>& weights = rig_.workload().dense(i);
    absl::Status written = streamed_ ? guard->Stream("W", weights) : guard->CopyFrom("W", weights);
    return written.ok() ? guard->Publish().status() : written;
  }

  Rig& rig_;
  const Rig::Rewritable& target_;
  const bool in_process_, streamed_;
  LaneWay way_;
};

}  // namespace

MadeMode MakeRewrite(Site& site, bool streamed) {
  const absl::StatusOr<Rig*> rig = site.Main();
  if (!rig.ok()) return rig.status();
  const absl::StatusOr<const Rig::Rewritable*> target = (*rig)->Parameters();
  if (!target.ok()) return target.status();
  return std::make_unique<Rewrite>(**rig, **target, site.in_process(), streamed);
}

}  // namespace anex::bench
