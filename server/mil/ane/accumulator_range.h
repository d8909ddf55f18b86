// What the sums of conv, linear and matmul can come to, from their constant weights and the range
// of the other operand. Belongs to the check of one function, one thread: it remembers the sums of
// weights, so that a weight that many operations share is read once, and does a bounded amount of
// work in all; beyond it nothing is found.
#ifndef ANEX_SERVER_MIL_ANE_ACCUMULATOR_RANGE_H_
#define ANEX_SERVER_MIL_ANE_ACCUMULATOR_RANGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "server/mil/ane/value_range.h"
#include "server/mil/program.h"

namespace anex::mil {

struct AccumulatorRange {
  ValueRange worst;  // over all outputs: an accumulator may come this far
  bool surely_out = false;
  ValueRange certain;  // of the first output that is beyond `limit` for every input, if surely_out
};

class AccumulatorRanges {
 public:
  explicit AccumulatorRanges(const Function& function) : function_(function) {}

  static bool Covers(const Operation& operation);
  // nullopt if the weights are not known or the input has no bounds. `ranges`: one per value.
  // REQUIRES: Covers(operation).
  std::optional<AccumulatorRange> Find(const Operation& operation,
                                       const std::vector<ValueRange>& ranges, double limit);

 private:
  // Weights seen as [outputs][terms] if `outputs_first`, else [terms][outputs], `blocks` times.
  struct Weights {
    const Constant* weight = nullptr;
    ValueRange input;
    size_t blocks = 1, outputs = 0, terms = 0;
    bool outputs_first = true;
    const Constant* bias = nullptr;
  };
  // Of the positive and the negative weights that each output adds up.
  struct SignedSums {
    std::vector<double> positive, negative;
  };

  std::optional<Weights> RowWeights(const Operation& op, const std::vector<ValueRange>& ranges);
  std::optional<Weights> MatrixWeights(const Operation& op, const std::vector<ValueRange>& ranges);
  std::optional<AccumulatorRange> RuntimeProduct(const Operation& op,
                                                 const std::vector<ValueRange>& ranges);
  const SignedSums& SumsOf(const Weights& weights);
  AccumulatorRange Bound(const Weights& weights, double limit);
  bool Spend(uint64_t work);
  const Constant* ConstantOf(const Operation& op, std::string_view argument) const;
  ValueRange RangeOf(const Operation& op, std::string_view argument,
                     const std::vector<ValueRange>& ranges) const;

  const Function& function_;
  // By weight and how it is seen: blocks, outputs, whether these come first.
  using Key = std::tuple<const Constant*, size_t, size_t, bool>;
  static Key KeyOf(const Weights& w) { return {w.weight, w.blocks, w.outputs, w.outputs_first}; }
  std::map<Key, SignedSums> sums_;
  uint64_t left_ = uint64_t{1} << 32;  // elements that may still be looked at
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_ANE_ACCUMULATOR_RANGE_H_
