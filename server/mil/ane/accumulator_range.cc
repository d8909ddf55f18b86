#include "server/mil/ane/accumulator_range.h"

#include <algorithm>

#include "server/mil/ane/constant_scan.h"

namespace anex::mil {
namespace {

// Outputs of one weight whose sums are kept; 16 bytes each.
constexpr size_t kMostOutputs = 1 << 20;

}  // namespace

bool AccumulatorRanges::Covers(const Operation& operation) {
  return operation.op == "conv" || operation.op == "linear" || operation.op == "matmul";
}

const Constant* AccumulatorRanges::ConstantOf(const Operation& op,
                                              std::string_view argument) const {
  const Argument* found = op.Find(argument);
  if (found == nullptr || found->values.size() != 1) return nullptr;
  const Constant* constant = function_.value(found->values[0]).constant.get();
  return constant == nullptr || constant->made_up() ? nullptr : constant;
}

ValueRange AccumulatorRanges::RangeOf(const Operation& op, std::string_view argument,
                                      const std::vector<ValueRange>& ranges) const {
  const Argument* found = op.Find(argument);
  if (found == nullptr || found->values.size() != 1) return {};
  return ranges[found->values[0]];
}

// conv and linear: the first dimension of weight counts outputs.
std::optional<AccumulatorRanges::Weights> AccumulatorRanges::RowWeights(
    const Operation& op, const std::vector<ValueRange>& ranges) {
  const Constant* weight = ConstantOf(op, "weight");
  if (weight == nullptr || !RangeOf(op, "weight", ranges).bounded()) return std::nullopt;
  const Shape& shape = weight->type().tensor.shape;
  Weights found{.weight = weight, .input = RangeOf(op, "x", ranges)};
  found.outputs = static_cast<size_t>(shape[0]);
  found.terms = static_cast<size_t>(shape.ElementCount()) / found.outputs;
  found.bias = ConstantOf(op, "bias");
  // At the edges of the image some terms are the zeros of the padding.
  const bool padded = op.op == "conv" && function_.Text(op, "pad_type") != "valid";
  if (padded) found.input = Hull(found.input, {0, 0});
  return found;
}

std::optional<AccumulatorRanges::Weights> AccumulatorRanges::MatrixWeights(
    const Operation& op, const std::vector<ValueRange>& ranges) {
  const bool y_known = ConstantOf(op, "y") != nullptr;
  const char* known = y_known ? "y" : "x";
  const Constant* weight = ConstantOf(op, known);
  if (weight == nullptr || weight->type().tensor.shape.rank() < 2) return std::nullopt;
  if (!RangeOf(op, known, ranges).bounded()) return std::nullopt;
  const Shape& shape = weight->type().tensor.shape;
  const auto rows = static_cast<size_t>(shape[shape.rank() - 2]);
  const auto columns = static_cast<size_t>(shape[shape.rank() - 1]);
  Weights found{.weight = weight, .input = RangeOf(op, y_known ? "x" : "y", ranges)};
  const bool transposed = function_.Bool(op, y_known ? "transpose_y" : "transpose_x");
  found.outputs_first = transposed == y_known;
  found.outputs = found.outputs_first ? rows : columns;
  found.terms = found.outputs_first ? columns : rows;
  found.blocks = static_cast<size_t>(shape.ElementCount()) / (rows * columns);
  return found;
}

// Both operands come at run time: no more than terms times the largest product.
std::optional<AccumulatorRange> AccumulatorRanges::RuntimeProduct(
    const Operation& op, const std::vector<ValueRange>& ranges) {
  const ValueRange x = RangeOf(op, "x", ranges), y = RangeOf(op, "y", ranges);
  if (op.op != "matmul" || !x.bounded() || !y.bounded()) return std::nullopt;
  const Shape& shape = function_.value(op.Single("x")).type.tensor.shape;
  if (shape.rank() < 2) return std::nullopt;
  const bool transposed = function_.Bool(op, "transpose_x");
  const double terms = static_cast<double>(shape[shape.rank() - (transposed ? 2 : 1)]);
  const ValueRange each = Product(x, y);
  return AccumulatorRange{.worst = {each.low * terms, each.high * terms}};
}

bool AccumulatorRanges::Spend(uint64_t work) {
  if (work > left_) return false;
  left_ -= work;
  return true;
}

const AccumulatorRanges::SignedSums& AccumulatorRanges::SumsOf(const Weights& w) {
  SignedSums& sums = sums_[KeyOf(w)];
  if (!sums.positive.empty()) return sums;
  sums.positive.resize(w.blocks * w.outputs);
  sums.negative.resize(w.blocks * w.outputs);
  ForEachElement(*w.weight, [&](size_t i, double value) {
    const size_t block = i / (w.outputs * w.terms), inside = i % (w.outputs * w.terms);
    const size_t output = w.outputs_first ? inside / w.terms : inside % w.outputs;
    (value > 0 ? sums.positive : sums.negative)[block * w.outputs + output] += value;
  });
  return sums;
}

AccumulatorRange AccumulatorRanges::Bound(const Weights& weights, double limit) {
  const SignedSums& sums = SumsOf(weights);
  const auto [low, high] = weights.input;
  std::vector<double> bias(sums.positive.size());
  if (weights.bias != nullptr) {
    ForEachElement(*weights.bias, [&](size_t i, double b) {
      if (i < bias.size()) bias[i] = b;
    });
  }
  AccumulatorRange found;
  for (size_t i = 0; i < bias.size(); ++i) {
    const double positive = sums.positive[i], negative = sums.negative[i];
    const ValueRange output{positive * low + negative * high + bias[i],
                            positive * high + negative * low + bias[i]};
    found.worst = i == 0 ? output : Hull(found.worst, output);
    if (!found.surely_out && (output.low >= limit || output.high <= -limit)) {
      found.surely_out = true;
      found.certain = output;
    }
  }
  return found;
}

std::optional<AccumulatorRange> AccumulatorRanges::Find(const Operation& operation,
                                                        const std::vector<ValueRange>& ranges,
                                                        double limit) {
  const bool matrix = operation.op == "matmul";
  const bool known =
      matrix ? ConstantOf(operation, "x") != nullptr || ConstantOf(operation, "y") != nullptr
             : ConstantOf(operation, "weight") != nullptr;
  if (!known) return RuntimeProduct(operation, ranges);
  const std::optional<Weights> weights =
      matrix ? MatrixWeights(operation, ranges) : RowWeights(operation, ranges);
  if (!weights.has_value() || !weights->input.bounded()) return std::nullopt;
  const size_t outputs = weights->blocks * weights->outputs;
  const bool seen = sums_.contains(KeyOf(*weights));
  const uint64_t work = outputs + (seen ? 0 : weights->weight->bytes().size());
  if (outputs > kMostOutputs || !Spend(work)) return std::nullopt;
  return Bound(*weights, limit);
}

}  // namespace anex::mil
