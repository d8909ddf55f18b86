// The twelve kernels of a pass with the surfaces that they read and write, and what these must hold
// afterwards.
//
// Threads: one at a time. Lives no longer than the session and the workload.
#ifndef ANEX_CLIENT_CLI_BENCH_STAGES_H_
#define ANEX_CLIENT_CLI_BENCH_STAGES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/anex/invocation.h"
#include "client/anex/kernel.h"
#include "client/anex/surface.h"
#include "client/cli/bench/channel_rows.h"
#include "client/cli/bench/workload.h"

namespace anex::bench {

enum class Wiring {
  kApart,  // every kernel has an input and an output of its own
  kShared  // a kernel's output is the next one's input
};

// Where values come from in a pass.
enum class Feed {
  kEach,  // every kernel has an input of its own, and what it makes of it is its output
  kFirst  // the first has; what it makes of it is what the next one gets, and so on
};

class Stages {
 public:
  // Binds kernel i's "x" and "y"; `bind` adds what else it has, e.g. its weights.
  using BindMore = std::function<void(InvocationBuilder&)>;
  // `kernels`: kKernels of them, or one that all stages share.
  static absl::StatusOr<Stages> Make(const Workload& workload,
                                     const std::vector<const Kernel*>& kernels, Wiring wiring,
                                     const BindMore& bind = nullptr);

  const Invocation& invocation(int i) const { return invocations_[Index(i)]; }
  const Surface& in(int i) const { return surfaces_[in_[Index(i)]]; }
  const Surface& out(int i) const { return surfaces_[out_[Index(i)]]; }
  // By the client, through mapped memory: output i to input i + 1.
  void CopyOn(int i) const { rows_[out_[Index(i)]].CopyTo(rows_[in_[Index(i + 1)]]); }

  // Fills the inputs for pass number `pass`.
  void FillInputs(uint64_t pass, Feed feed) const;
  // Fills the outputs but the last, as sources of copies; and checks what the copies made.
  void FillOutputs(uint64_t pass) const;
  absl::Status VerifyCopies(uint64_t pass) const;
  // OK if every output is what its kernel makes of its input, worked out here.
  absl::Status Verify(uint64_t pass, Feed feed) const;
  // The values that input i has in `pass`, and what output i must be; for tensors that travel in
  // messages. REQUIRES: Feed::kEach.
  std::string InputBytes(uint64_t pass, int i) const;
  absl::Status VerifyBytes(uint64_t pass, int i, std::string_view found) const;

 private:
  explicit Stages(const Workload& workload) : workload_(&workload) {}
  static size_t Index(int i) { return static_cast<size_t>(i); }
  absl::Status AddSurface(const Kernel& kernel, std::string_view port);
  std::span<const uint16_t> Input(uint64_t pass, int i) const;
  std::span<const uint16_t> Made(int kernel, std::span<const uint16_t> from,
                                 std::vector<uint16_t>& to) const;

  const Workload* workload_;
  std::vector<Surface> surfaces_;
  std::vector<ChannelRows> rows_;  // of surfaces_
  std::vector<size_t> in_, out_;   // kernel -> surface
  std::vector<Invocation> invocations_;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_STAGES_H_
