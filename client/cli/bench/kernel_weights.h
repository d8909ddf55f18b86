// The weights of the kernels that are measured, and what they make of an input, worked out without
// any device: every output channel is one input channel, times a power of two, perhaps negated.
// Each kernel has its own permutation, signs and powers, so a kernel that was left out, run twice
// on its own result, or taken for another shows in nearly every value; and since all of it is exact
// in fp16 whatever the order of accumulation, results are compared bit by bit.
//
// Threads: immutable value, any.
// Bound: a value in [0.5, 2) stays a normal fp16 number through kMostInARow kernels.
#ifndef ANEX_CLIENT_CLI_BENCH_KERNEL_WEIGHTS_H_
#define ANEX_CLIENT_CLI_BENCH_KERNEL_WEIGHTS_H_

#include <cstdint>
#include <span>
#include <vector>

namespace anex::bench {

class KernelWeights {
 public:
  // Powers are 2^-1 to 2^1 and fp16 is normal from 2^-14 to below 2^16.
  static constexpr int kMostInARow = 13;

  static KernelWeights Identity(int channels);
  // Different for each `seed`; the same everywhere and always.
  static KernelWeights Make(int channels, uint32_t seed);

  int channels() const { return static_cast<int>(rows_.size()); }
  // Row-major [channels, channels], one value other than 0 in each row.
  std::vector<float> Dense() const;
  // What the kernel makes of `in`, both [channels, columns] of fp16 bits, by integer arithmetic on
  // these. REQUIRES: all of `in` normal numbers that stay such.
  void Apply(std::span<const uint16_t> in, int columns, std::span<uint16_t> out) const;

 private:
  struct Row {
    uint32_t source = 0;  // the input channel
    int8_t power = 0;
    bool negative = false;
  };
  explicit KernelWeights(std::vector<Row> rows) : rows_(std::move(rows)) {}

  std::vector<Row> rows_;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_KERNEL_WEIGHTS_H_
