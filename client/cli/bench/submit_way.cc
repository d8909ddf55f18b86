#include "client/cli/bench/submit_way.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/wire/half.h"

namespace anex::bench {
namespace {

// The output channel that depends on input channel 0 alone: the one that changes with it.
size_t TargetOf(const Workload& workload) {
  std::vector<uint16_t> in(workload.elements(), FloatToHalf(1)), base(in.size()), moved(in.size());
  workload.weights(0).Apply(in, workload.columns(), base);
  in[0] = FloatToHalf(1.5f);
  workload.weights(0).Apply(in, workload.columns(), moved);
  size_t at = 0;
  while (base[at] == moved[at]) ++at;
  return at / static_cast<size_t>(workload.columns());
}

}  // namespace

absl::StatusOr<std::unique_ptr<SubmitWay>> SubmitWay::Make(Rig& rig, bool in_process,
                                                           SubmitMode path) {
  std::unique_ptr<SubmitWay> way(new SubmitWay(rig, in_process, path));
  absl::StatusOr<SurfaceMap> surfaces = rig.kernel(0).CreateSurfaces();
  if (!surfaces.ok()) return surfaces.status();
  way->surfaces_ = *std::move(surfaces);
  const absl::StatusOr<ChannelRows> in = ChannelRows::Of(way->surfaces_.at("x"));
  const absl::StatusOr<ChannelRows> out = ChannelRows::Of(way->surfaces_.at("y"));
  if (!in.ok()) return in.status();
  if (!out.ok()) return out.status();
  way->in_ = *in;
  way->out_ = *out;
  absl::StatusOr<Invocation> invocation = rig.kernel(0).Prepare().Bind(way->surfaces_).Build();
  if (!invocation.ok()) return invocation.status();
  way->invocation_ = *std::move(invocation);
  way->target_ = TargetOf(rig.workload());
  way->in_.Fill(rig.workload().inputs().Values(0, rig.workload().elements()));
  way->PutNext();
  return way;
}

absl::Status SubmitWay::Begin() {
  absl::StatusOr<Lane> lane = rig_.session().CreateLane({.label = "anectl bench"});
  if (!lane.ok()) return lane.status();
  lane_ = *std::move(lane);
  if (in_process_) return absl::OkStatus();
  absl::StatusOr<SubmissionQueue> queue = lane_.OpenQueue(1, path_);
  if (!queue.ok()) return queue.status();
  queue_ = *std::move(queue);
  return absl::OkStatus();
}

void SubmitWay::End() {
  queue_ = SubmissionQueue();
  lane_ = Lane();
}

absl::Status SubmitWay::Run() {
  if (in_process_) return lane_.Run(invocation_).status();
  if (absl::Status put = queue_.Submit(lane_, invocation_); !put.ok()) return put;
  const absl::StatusOr<Completion> done = queue_.Next();
  return done.ok() ? done->status : done.status();
}

absl::Status SubmitWay::Check() {
  const uint16_t found = out_.at(target_, 0);
  if (found != expected_) {
    return absl::DataLossError(absl::StrCat("run ", key_, ": channel ", target_, " is ",
                                            HalfToFloat(found), " and not ",
                                            HalfToFloat(expected_)));
  }
  PutNext();
  return absl::OkStatus();
}

void SubmitWay::PutNext() {
  const Workload& workload = rig_.workload();
  const uint16_t value = workload.inputs().Values(++key_, 1)[0];
  in_.at(0, 0) = value;
  // The kernel's weights on one column: channel 0 is what counts, the rest is any normal number.
  std::vector<uint16_t> column(static_cast<size_t>(workload.channels()), value);
  std::vector<uint16_t> made(column.size());
  workload.weights(0).Apply(column, 1, made);
  expected_ = made[target_];
}

}  // namespace anex::bench
