// What is measured: kernels of one size, with their programs, weights and inputs. Made once and
// shared by every session that runs them.
//
// Threads: immutable, any.
#ifndef ANEX_CLIENT_CLI_BENCH_WORKLOAD_H_
#define ANEX_CLIENT_CLI_BENCH_WORKLOAD_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/bench/input_pattern.h"
#include "client/cli/bench/kernel_weights.h"
#include "proto/values/kernel_values.h"
#include "proto/wire/tensor_layout.h"

namespace anex::bench {

// Kernels of a pass, as in the experiment.
inline constexpr int kKernels = 12;
static_assert(kKernels <= KernelWeights::kMostInARow);

// OK if Workload::Make would take the name; whether that is the null kernel.
absl::Status CheckWorkloadName(std::string_view name);
absl::StatusOr<bool> IsNullWorkload(std::string_view name);

class Workload {
 public:
  // "64x32" is a 1x1 convolution of 64 channels to 64 on 32 columns; "null" the least that a kernel
  // can do, one element copied. INVALID_ARGUMENT for anything else, or larger than 4096x4096.
  static absl::StatusOr<std::shared_ptr<const Workload>> Make(std::string_view name);

  const std::string& name() const { return name_; }
  bool null() const { return null_; }
  int channels() const { return channels_; }
  int columns() const { return columns_; }
  size_t elements() const { return static_cast<size_t>(channels_) * static_cast<size_t>(columns_); }
  size_t bytes() const { return elements() * 2; }  // of one surface's values
  const InputPattern& inputs() const { return inputs_; }

  // Of kernel 0 to kKernels - 1; all the same, the identity, for the null kernel.
  const KernelWeights& weights(int kernel) const { return weights_[static_cast<size_t>(kernel)]; }
  // x [1, C, 1, S] to y [1, C, 1, S], the weights baked in.
  const ProgramSource& program(int kernel) const {
    return programs_[null_ ? 0 : static_cast<size_t>(kernel)];
  }
  // x [1, C, 1, S] and W [1, C, C] to y [1, C, S]. REQUIRES: not null.
  const ProgramSource& parameter_program() const { return parameter_program_; }
  Shape parameter_shape() const { return Shape({1, channels_, channels_}); }
  // Row-major W for kernel `kernel`'s weights.
  const std::vector<float>& dense(int kernel) const { return dense_[static_cast<size_t>(kernel)]; }

 private:
  Workload(std::string name, bool null, int channels, int columns);

  std::string name_;
  bool null_;
  int channels_, columns_;
  InputPattern inputs_;
  std::vector<KernelWeights> weights_;
  std::vector<std::vector<float>> dense_;
  std::vector<ProgramSource> programs_;
  ProgramSource parameter_program_;
};

// The program of the kernel that does the least, for what is run besides.
ProgramSource NullProgram();

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_WORKLOAD_H_
