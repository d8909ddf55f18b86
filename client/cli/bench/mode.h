// One way of running the twelve kernels of a pass. The experiment asks it for passes, each with
// fresh inputs and each verified, and between rounds lets it close what the others should not feel.
//
// Order of calls: { Begin, { Feed, Run, Verify }..., End }...
// Threads: one at a time; a mode may have threads of its own within Run.
#ifndef ANEX_CLIENT_CLI_BENCH_MODE_H_
#define ANEX_CLIENT_CLI_BENCH_MODE_H_

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace anex::bench {

struct PassTiming {
  int64_t ns = 0;                  // from before the first submission until all results are there
  int64_t device_ns = 0;           // of it on the device, as completions say; summed over clients
  std::vector<int64_t> client_ns;  // with several clients: until each had its results
};

// Kernels (or copies) by number, in the order in which a pass runs them: 0 to 11 unless a pass is
// spoilt on purpose, to see that it is noticed.
using Plan = std::span<const int>;

class Mode {
 public:
  virtual ~Mode() = default;

  // Opens what only this mode uses: lanes, rings, threads. An error that says that there is no such
  // thing here (UNIMPLEMENTED) makes the mode unavailable.
  virtual absl::Status Begin() { return absl::OkStatus(); }
  virtual void End() {}

  virtual void Feed(uint64_t pass) = 0;
  // Wakes up whoever sleeps, untimed, and runs the pass.
  virtual absl::StatusOr<PassTiming> Run(Plan plan) = 0;
  // OK if every result of the pass is what it must be. DATA_LOSS says which is not.
  virtual absl::Status Verify(uint64_t pass) = 0;

  // Runs of kernels since Begin that this mode answers for, and that the engine has counted.
  uint64_t claimed_runs() const { return claimed_; }
  virtual absl::StatusOr<uint64_t> CountRuns() const = 0;

  // How submissions travel ("ring", "unary", "in-process"), and what stood in the way of better.
  const std::string& way() const { return way_; }
  const std::string& note() const { return note_; }

 protected:
  void Claim(uint64_t runs) { claimed_ += runs; }
  void SetWay(std::string way, std::string note = "") {
    way_ = std::move(way);
    note_ = std::move(note);
  }

 private:
  uint64_t claimed_ = 0;
  std::string way_, note_;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_MODE_H_
