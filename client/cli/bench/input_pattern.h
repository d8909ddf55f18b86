// What the kernels are fed: fp16 numbers of either sign with magnitudes in [0.5, 2), others in
// every pass and for every kernel, so that a result left over from before is never taken for a new
// one.
//
// The values run through a sequence that has a prime period: rows of no tensor here are alike. A
// key chooses where in it the tensor begins. Threads: immutable, any.
#ifndef ANEX_CLIENT_CLI_BENCH_INPUT_PATTERN_H_
#define ANEX_CLIENT_CLI_BENCH_INPUT_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace anex::bench {

class InputPattern {
 public:
  // Keys that are less apart than this give tensors that differ in every element.
  static constexpr uint64_t kPeriod = 4093;

  // Can fill tensors of up to `elements`.
  explicit InputPattern(size_t elements);

  // fp16 bits of a whole tensor. REQUIRES: size() <= elements. The span lives as this does.
  std::span<const uint16_t> Values(uint64_t key, size_t elements) const;

 private:
  std::vector<uint16_t> values_;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_INPUT_PATTERN_H_
