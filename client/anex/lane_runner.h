// How the runs of one lane that are waited for travel: the first one as a call, since many lanes
// have no second; once one has been accepted through a ring, if one can be had; else as calls.
//
// Threads: any. One run at a time goes through the ring; those that come meanwhile are calls.
// Bound: SessionCore::kMostRunRings rings of a session are opened for this.
#ifndef ANEX_CLIENT_ANEX_LANE_RUNNER_H_
#define ANEX_CLIENT_ANEX_LANE_RUNNER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/anex/session_core.h"
#include "client/anex/submit_path.h"

namespace anex::internal {

class LaneRunner {
 public:
  LaneRunner(CorePtr core, LaneId lane) : core_(std::move(core)), lane_(lane) {}

  // Errors as Transport::Evaluate's.
  absl::StatusOr<Completion> Run(Transport& transport, const Submission& submission)
      ABSL_LOCKS_EXCLUDED(run_mutex_);
  // Closes its ring and opens no other: a lane has one at most, and somebody else wants it.
  void GiveUpRing() ABSL_LOCKS_EXCLUDED(run_mutex_);

  // Do not wait for a run.
  SubmitMode path() const ABSL_LOCKS_EXCLUDED(said_mutex_);
  std::string note() const ABSL_LOCKS_EXCLUDED(said_mutex_);

 private:
  bool HasRing(Transport& transport) ABSL_EXCLUSIVE_LOCKS_REQUIRED(run_mutex_);
  absl::StatusOr<Completion> RunOnRing(Transport& transport, Submission submission)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(run_mutex_);
  void DropRing(std::string why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(run_mutex_);
  void Say(SubmitMode path, std::string note) ABSL_LOCKS_EXCLUDED(said_mutex_);

  const CorePtr core_;
  const LaneId lane_;
  absl::Mutex run_mutex_;                             // held as long as a run goes through the ring
  std::atomic<uint32_t> accepted_{0};                 // runs that went as calls
  bool decided_ ABSL_GUARDED_BY(run_mutex_) = false;  // whether there is to be a ring
  // Far from what clients number their own with: a run that is left is cancelled by it.
  uint64_t last_run_ ABSL_GUARDED_BY(run_mutex_) = uint64_t{1} << 63;
  RunRingPlace place_ ABSL_GUARDED_BY(run_mutex_);
  std::unique_ptr<SubmissionStream> ring_ ABSL_GUARDED_BY(run_mutex_);
  mutable absl::Mutex said_mutex_;  // taken after run_mutex_, never before
  SubmitMode path_ ABSL_GUARDED_BY(said_mutex_) = SubmitMode::kUnary;
  std::string note_ ABSL_GUARDED_BY(said_mutex_) = "no ring: it is opened with the second run";
};

}  // namespace anex::internal

#endif  // ANEX_CLIENT_ANEX_LANE_RUNNER_H_
