#include "tests/fuzz/allowance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

namespace anex::device::cpu {
namespace {

using Names = std::set<std::string_view>;

// Of floats; integers, bools and moved elements are equal bits.
const Names kFunctions = {"rsqrt",    "inverse",      "exp",          "exp2",
                          "log",      "sin",          "cos",          "tan",
                          "asin",     "acos",         "atan",         "sinh",
                          "cosh",     "atanh",        "erf",          "sigmoid",
                          "tanh",     "leaky_relu",   "clamped_relu", "prelu",
                          "elu",      "silu",         "softplus",     "softplus_parametric",
                          "softsign", "sigmoid_hard", "scaled_tanh",  "linear_activation",
                          "gelu",     "pow",          "floor_div",    "mod",
                          "quantize", "dequantize"};
const Names kSums = {"reduce_sum",        "reduce_mean", "reduce_l1_norm", "reduce_l2_norm",
                     "reduce_sum_square", "reduce_prod", "reduce_log_sum", "reduce_log_sum_exp",
                     "avg_pool",          "l2_pool",     "cumsum"};
const Names kNorms = {"softmax", "layer_norm",          "batch_norm",        "instance_norm",
                      "l2_norm", "local_response_norm", "upsample_bilinear", "resize_bilinear",
                      "resize",  "crop_resize",         "resample",          "affine"};
const Names kProducts = {"matmul", "linear",         "einsum",
                         "conv",   "conv_transpose", "scaled_dot_product_attention"};
const Names kRecurrent = {"lstm", "gru", "rnn"};

// The larger of 0 and -0 is either.
const Names kExtremes = {"maximum",    "minimum", "max_pool",           "reduce_max",
                         "reduce_min", "scatter", "scatter_along_axis", "scatter_nd"};

double Largest(const Tensor& tensor) {
  double largest = 0;
  for (const double value : ValuesOf(tensor)) {
    if (!std::isfinite(value)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::fabs(value));
  }
  return largest;
}

// The largest magnitude among an argument's elements, known when the program was compiled or not.
double LargestOf(const mil::Function& function, mil::ValueId id, const Tensors& values) {
  const mil::Value& value = function.value(id);
  if (value.type.kind != mil::TypeKind::kTensor) return 0;
  const auto found = values.find(value.name);
  if (found != values.end()) return Largest(found->second);
  if (value.constant == nullptr) return std::numeric_limits<double>::infinity();
  const mil::TensorType& type = value.type.tensor;
  return Largest(
      {type.dtype, type.shape, {value.constant->bytes().begin(), value.constant->bytes().end()}});
}

// K * 2^-24 * the largest sum of products of K terms, K being at most the elements of the smaller
// operand. Scores of an attention add up before they are raised to a power.
double SlackOfProduct(const mil::Function& function, const mil::Operation& operation,
                      const Tensors& values) {
  double product = 1, terms = std::numeric_limits<double>::infinity(), bias = 0;
  for (const mil::Argument& argument : operation.arguments) {
    for (const mil::ValueId id : argument.values) {
      const mil::Type& type = function.value(id).type;
      if (type.kind != mil::TypeKind::kTensor || !IsFloat(type.tensor.dtype)) continue;
      const double largest = LargestOf(function, id, values);
      if (argument.name == "bias" || argument.name == "attn_mask") {
        bias = std::max(bias, largest);
        continue;
      }
      product *= largest;
      terms = std::min(terms, static_cast<double>(type.tensor.shape.ElementCount()));
    }
  }
  const double sum = terms * product + bias;
  return sum < 1e37 ? (terms + 2) * std::ldexp(sum, -24) : std::numeric_limits<double>::infinity();
}

}  // namespace

Allowance AllowanceOf(const mil::Function& function, const mil::Operation& operation,
                      const Tensors& values) {
  const mil::TensorType& result = function.value(operation.results[0]).type.tensor;
  const std::string_view op = operation.op;
  const bool half = result.dtype == DType::kFp16;
  if (!IsFloat(result.dtype)) return {};
  if (op == "gelu" && !half) {
    const double x = std::min(LargestOf(function, operation.Single("x"), values), 15.0);
    return {4 + static_cast<int64_t>(2 * x * x), 0x1p-142};
  }
  if (kFunctions.contains(op)) return {half ? 1 : 4, half ? 0 : 0x1p-142};
  if (kSums.contains(op)) return {1, 0, false};
  if (kProducts.contains(op)) return {1, SlackOfProduct(function, operation, values), false};
  // Of the largest element: where terms cancel, what is left has the error of the terms.
  const double largest = LargestOf(function, operation.results[0], values);
  if (kNorms.contains(op)) return {half ? 1 : 64, std::ldexp(largest, half ? -24 : -20), false};
  if (kRecurrent.contains(op)) return {1, 1e-3, false};
  return {0, 0, !kExtremes.contains(op)};
}

}  // namespace anex::device::cpu
