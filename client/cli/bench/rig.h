// One session with the kernels of a workload: what the modes of the experiment run on. What only
// some modes need is made at their first question for it.
//
// Threads: one at a time.
#ifndef ANEX_CLIENT_CLI_BENCH_RIG_H_
#define ANEX_CLIENT_CLI_BENCH_RIG_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/anex/kernel.h"
#include "client/anex/parameter_set.h"
#include "client/anex/session.h"
#include "client/cli/bench/stages.h"
#include "client/cli/bench/workload.h"
#include "client/transport/transport.h"

namespace anex::bench {

// Each call gives a transport without a session yet.
using Connect = std::function<absl::StatusOr<std::shared_ptr<Transport>>()>;

class Rig {
 public:
  // Opens a session and compiles the kernels. `like` = one on the same daemon that did already, so
  // that nothing is sent again; may be null.
  static absl::StatusOr<std::unique_ptr<Rig>> Open(const Connect& connect,
                                                   std::shared_ptr<const Workload> workload,
                                                   const std::string& client_name,
                                                   const std::string& device, const Rig* like);

  const Session& session() const { return session_; }
  const Workload& workload() const { return *workload_; }
  const Kernel& kernel(int i) const {
    return kernels_[kernels_.size() == 1 ? 0 : static_cast<size_t>(i)];
  }
  const std::string& device() const { return kernels_.front().info().device; }
  // The device in its own words, such as how many threads it has; "" if it says nothing.
  std::string DescribeDevice() const;

  absl::StatusOr<const Stages*> Apart();
  absl::StatusOr<const Stages*> Shared();
  // Kernels whose weights are a parameter of this set, one set for all.
  struct Rewritable {
    ParameterSet set;
    std::optional<Stages> stages;
  };
  absl::StatusOr<const Rewritable*> Parameters();
  // Runs the kernel that does the least, to wake up whoever sleeps before something is timed.
  const Invocation& primer() const { return primer_; }

  // Runs of kernels in this session as the engine counts them.
  absl::StatusOr<uint64_t> CountRuns() const;

 private:
  Rig() = default;
  absl::Status CompileAll(const std::string& device, const Rig* like);
  absl::Status MakePrimer(const std::string& device);
  absl::StatusOr<const Stages*> Wired(Wiring wiring, std::optional<Stages>& stages);

  std::shared_ptr<const Workload> workload_;
  std::string device_;
  Session session_;
  std::vector<Kernel> kernels_;
  Kernel primer_kernel_;
  SurfaceMap primer_surfaces_;
  Invocation primer_;
  Kernel parameter_kernel_;
  std::optional<Stages> apart_, shared_;
  std::optional<Rewritable> rewritable_;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_RIG_H_
