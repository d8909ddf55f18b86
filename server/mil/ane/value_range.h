// What can be said of the values of a function without running it: intervals that follow from its
// constants and from operations whose results are bounded (sigmoid, softmax, clip, ...).
//
// Sound for finite inputs up to rounding: the true elements lie inside. What is not known is
// unbounded. Constants are scanned where they lie, up to a bound. Pure functions, any thread.
#ifndef ANEX_SERVER_MIL_ANE_VALUE_RANGE_H_
#define ANEX_SERVER_MIL_ANE_VALUE_RANGE_H_

#include <limits>
#include <vector>

#include "server/mil/program.h"

namespace anex::mil {

struct ValueRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  bool bounded() const;
  double Magnitude() const;  // the largest absolute value in it
  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

ValueRange Hull(ValueRange a, ValueRange b);     // the least that holds both
ValueRange Product(ValueRange a, ValueRange b);  // of any element of one with any of the other

// What a scan of a constant finds.
struct ConstantSummary {
  ValueRange finite;  // of its finite elements; unbounded if it has none
  bool has_nan = false, has_infinity = false;
};
ConstantSummary Summarize(const Constant& constant);

// One per value of `function`; nothing is found where there is no tensor constant.
std::vector<ConstantSummary> SummarizeConstants(const Function& function);

class AccumulatorRanges;

// One per value of `function`. Of made-up constants (value.h) nothing is known but their type.
std::vector<ValueRange> FindRanges(const Function& function,
                                   const std::vector<ConstantSummary>& constants,
                                   AccumulatorRanges& accumulators);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_ANE_VALUE_RANGE_H_
