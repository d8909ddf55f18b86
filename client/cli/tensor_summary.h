// A tensor at a glance: least, greatest, mean, how many are not finite, the first values. Pure.
#ifndef ANEX_CLIENT_CLI_TENSOR_SUMMARY_H_
#define ANEX_CLIENT_CLI_TENSOR_SUMMARY_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "proto/wire/tensor_layout.h"

namespace anex::cli {

struct TensorSummary {
  uint64_t elements = 0;
  uint64_t nan = 0, inf = 0;
  // Over the finite elements; NaN if there are none. 64-bit integers are rounded to double.
  double min = 0, max = 0, mean = 0;
  std::vector<double> first;  // at most `show`
};

// REQUIRES: `packed` holds whole elements of `dtype`, which is valid.
TensorSummary Summarize(DType dtype, std::string_view packed, size_t show = 6);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_TENSOR_SUMMARY_H_
