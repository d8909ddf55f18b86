// A mode at work, and what has been measured of it so far: the experiment's part that knows how to
// distrust a mode. Once something went wrong it does nothing more.
//
// Threads: one at a time.
#ifndef ANEX_CLIENT_CLI_BENCH_CONTENDER_H_
#define ANEX_CLIENT_CLI_BENCH_CONTENDER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "client/cli/bench/figure.h"
#include "client/cli/bench/mode_list.h"

namespace anex::bench {

class Contender {
 public:
  // `figure` says shape, mode, place and what it is compared with. `last_pass` is shared by all
  // contenders of the shape, which share surfaces too: no pass has the inputs of the one before it,
  // whoever made that. It outlives this.
  Contender(const ModeInfo& info, Figure figure, uint64_t& last_pass)
      : info_(info), figure_(std::move(figure)), last_pass_(last_pass) {}

  // Makes the mode; a status of the daemon's end is the caller's, all else is the figure's.
  absl::Status Make(Site& site);
  void MarkUnavailable(std::string reason);

  // `passes` verified ones that are not timed, and the two spoilt ones that must be noticed.
  absl::Status WarmUp(int passes);
  // One round of timed, verified passes.
  absl::Status Round(int passes);

  bool working() const { return mode_ != nullptr && figure_.outcome == Outcome::kMeasured; }
  bool copies_only() const { return info_.runs == 0; }
  // The mode goes; the figure is complete.
  Figure Finish();

 private:
  // Runs with Begin and End around it, and afterwards compares the counts of runs.
  template <typename Work>
  absl::Status Opened(const Work& work);
  absl::Status VerifiedPass(PassTiming& timing);
  absl::Status NoticesSpoilt();
  // True if a pass over `plan` is seen to be no whole one. Leaves the mode closed.
  absl::StatusOr<bool> Notices(std::span<const int> plan);
  absl::Status CheckCount(uint64_t counted_before, uint64_t claimed_before) const;
  // Takes an error in, or hands it on if the daemon is gone.
  absl::Status Settle(const absl::Status& status, bool opening);

  const ModeInfo& info_;
  Figure figure_;
  std::unique_ptr<Mode> mode_;
  uint64_t& last_pass_;
  std::vector<std::vector<int64_t>> client_ns_;  // by pass
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_CONTENDER_H_
