// One prepared invocation and one way of submitting it: a value in, a run, the value out.
//
// Threads: one at a time.
#ifndef ANEX_CLIENT_CLI_BENCH_SUBMIT_WAY_H_
#define ANEX_CLIENT_CLI_BENCH_SUBMIT_WAY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/anex/submission_queue.h"
#include "client/cli/bench/channel_rows.h"
#include "client/cli/bench/rig.h"

namespace anex::bench {

class SubmitWay {
 public:
  // `rig` outlives it. An engine in process has its own only way.
  static absl::StatusOr<std::unique_ptr<SubmitWay>> Make(Rig& rig, bool in_process,
                                                         SubmitMode path);

  absl::Status Begin();  // opens lane and queue
  void End();
  // Puts the next value in and runs. What is timed.
  absl::Status Run();
  // OK if the last run made of the value what it must; puts the next one in place.
  absl::Status Check();

 private:
  SubmitWay(Rig& rig, bool in_process, SubmitMode path)
      : rig_(rig), in_process_(in_process), path_(path) {}
  void PutNext();

  Rig& rig_;
  const bool in_process_;
  const SubmitMode path_;
  SurfaceMap surfaces_;
  ChannelRows in_, out_;
  Invocation invocation_;
  size_t target_ = 0;      // the output channel that input channel 0 becomes
  uint16_t expected_ = 0;  // of its first value
  uint64_t key_ = 0;
  Lane lane_;
  SubmissionQueue queue_;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_SUBMIT_WAY_H_
