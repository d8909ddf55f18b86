#include "server/mil/ane/value_range.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "server/mil/ane/accumulator_range.h"
#include "server/mil/ane/constant_scan.h"

namespace anex::mil {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Bytes of constants that are looked at: a few seconds. What lies behind has no bounds.
constexpr uint64_t kMostScanned = uint64_t{4} << 30;

// 0 * inf is 0 here: an unbounded end stands for large finite numbers.
double Times(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

ValueRange OfType(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return {0, 1};
    case DType::kUint8:
      return {0, 255};
    case DType::kInt8:
      return {-128, 127};
    default:
      return {};
  }
}

ValueRange Quotient(ValueRange a, ValueRange b) {
  if (b.low <= 0 && b.high >= 0) return {};
  return Product(a, {1 / b.high, 1 / b.low});
}

ValueRange Squared(ValueRange x) {
  const double high = std::max(Times(x.low, x.low), Times(x.high, x.high));
  if (x.low <= 0 && x.high >= 0) return {0, high};
  return {std::min(x.low * x.low, x.high * x.high), high};
}

// Of a function that does not fall, at both ends.
template <typename F>
ValueRange Rising(ValueRange x, const F& f) {
  return {f(x.low), f(x.high)};
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// What one operation's rule gets.
struct Site {
  const Function& function;
  const Operation& op;
  const std::vector<ValueRange>& ranges;

  ValueRange Of(std::string_view argument) const {
    const Argument* found = op.Find(argument);
    if (found == nullptr || found->values.size() != 1) return {};
    return ranges[found->values[0]];
  }
  ValueRange x() const { return Of("x"); }
  double Elements(std::string_view argument) const {
    const Argument* found = op.Find(argument);
    if (found == nullptr || found->values.empty()) return kInfinity;
    return static_cast<double>(function.value(found->values[0]).type.tensor.shape.ElementCount());
  }
  double Results() const {
    return static_cast<double>(function.value(op.results[0]).type.tensor.shape.ElementCount());
  }
};

using Transfer = ValueRange (*)(const Site&);

ValueRange Same(const Site& s) { return s.x(); }
ValueRange WithZero(const Site& s) { return Hull(s.x(), {0, 0}); }
ValueRange Choice(const Site&) { return {0, 1}; }
ValueRange Signed(const Site&) { return {-1, 1}; }

ValueRange All(const Site& s) {
  const Argument* values = s.op.Find("values");
  if (values == nullptr || values->values.empty()) return {};
  ValueRange hull = s.ranges[values->values[0]];
  for (ValueId id : values->values) hull = Hull(hull, s.ranges[id]);
  return hull;
}

ValueRange Sum(const Site& s) {
  const double each = s.Elements("x") / s.Results();
  return {Times(s.x().low, each), Times(s.x().high, each)};
}

const std::unordered_map<std::string_view, Transfer>& Transfers() {
  static const auto* const kTransfers = new std::unordered_map<std::string_view, Transfer>{
      {"add",
       [](const Site& s) {
         const ValueRange x = s.x(), y = s.Of("y");
         return ValueRange{x.low + y.low, x.high + y.high};
       }},
      {"sub",
       [](const Site& s) {
         const ValueRange x = s.x(), y = s.Of("y");
         return ValueRange{x.low - y.high, x.high - y.low};
       }},
      {"mul",
       [](const Site& s) {
         // x * x is a square, and no less than zero.
         const bool square = s.op.Single("x") == s.op.Single("y");
         return square ? Squared(s.x()) : Product(s.x(), s.Of("y"));
       }},
      {"real_div", [](const Site& s) { return Quotient(s.x(), s.Of("y")); }},
      {"maximum",
       [](const Site& s) {
         const ValueRange x = s.x(), y = s.Of("y");
         return ValueRange{std::max(x.low, y.low), std::max(x.high, y.high)};
       }},
      {"minimum",
       [](const Site& s) {
         const ValueRange x = s.x(), y = s.Of("y");
         return ValueRange{std::min(x.low, y.low), std::min(x.high, y.high)};
       }},
      {"square", [](const Site& s) { return Squared(s.x()); }},
      {"abs",
       [](const Site& s) {
         const ValueRange x = s.x();
         const double least =
             x.low <= 0 && x.high >= 0 ? 0 : std::min(std::fabs(x.low), std::fabs(x.high));
         return ValueRange{least, std::max(std::fabs(x.low), std::fabs(x.high))};
       }},
      {"sqrt",
       [](const Site& s) {
         return Rising(s.x(), [](double v) { return std::sqrt(std::max(v, 0.0)); });
       }},
      {"exp", [](const Site& s) { return Rising(s.x(), [](double v) { return std::exp(v); }); }},
      {"exp2", [](const Site& s) { return Rising(s.x(), [](double v) { return std::exp2(v); }); }},
      {"sigmoid", [](const Site& s) { return Rising(s.x(), Sigmoid); }},
      {"tanh", [](const Site& s) { return Rising(s.x(), [](double v) { return std::tanh(v); }); }},
      {"erf", [](const Site& s) { return Rising(s.x(), [](double v) { return std::erf(v); }); }},
      {"relu",
       [](const Site& s) { return Rising(s.x(), [](double v) { return std::max(v, 0.0); }); }},
      {"relu6",
       [](const Site& s) {
         return Rising(s.x(), [](double v) { return std::clamp(v, 0.0, 6.0); });
       }},
      {"clip",
       [](const Site& s) {
         const double low = s.Of("alpha").low, high = s.Of("beta").high;
         if (!(low <= high)) return ValueRange{};
         return Rising(s.x(), [=](double v) { return std::clamp(v, low, high); });
       }},
      {"select", [](const Site& s) { return Hull(s.Of("a"), s.Of("b")); }},
      {"pad", [](const Site& s) { return Hull(s.x(), s.Of("constant_val")); }},
      {"fill", [](const Site& s) { return s.Of("value"); }},
      {"scaled_dot_product_attention", [](const Site& s) { return s.Of("value"); }},
      {"floor",
       [](const Site& s) { return Rising(s.x(), [](double v) { return std::floor(v); }); }},
      {"ceil", [](const Site& s) { return Rising(s.x(), [](double v) { return std::ceil(v); }); }},
      {"round",
       [](const Site& s) { return Rising(s.x(), [](double v) { return std::round(v); }); }},
      {"reduce_sum", Sum},
      {"softmax", Choice},
      {"sigmoid_hard", Choice},
      {"sin", Signed},
      {"cos", Signed},
      {"sign", Signed},
      {"softsign", Signed},
      {"concat", All},
      {"stack", All},
      {"avg_pool", WithZero},
      {"identity", Same},
      {"reshape", Same},
      {"transpose", Same},
      {"expand_dims", Same},
      {"squeeze", Same},
      {"flatten2d", Same},
      {"slice_by_size", Same},
      {"slice_by_index", Same},
      {"split", Same},
      {"tile", Same},
      {"reverse", Same},
      {"gather", Same},
      {"gather_along_axis", Same},
      {"max_pool", Same},
      {"reduce_max", Same},
      {"reduce_min", Same},
      {"reduce_mean", Same},
      {"depth_to_space", Same},
      {"space_to_depth", Same},
      {"pixel_shuffle", Same},
      {"pixel_unshuffle", Same},
      {"upsample_nearest_neighbor", Same},
      {"upsample_bilinear", Same},
  };
  return *kTransfers;
}

ValueRange Cast(const Site& s) {
  const DType to = s.function.value(s.op.results[0]).type.tensor.dtype;
  return to == DType::kBool ? ValueRange{0, 1} : s.x();
}

ValueRange RangeOf(const Site& site, AccumulatorRanges& accumulators) {
  ValueRange range;
  if (site.op.op == "cast") {
    range = Cast(site);
  } else if (AccumulatorRanges::Covers(site.op)) {
    const auto found = accumulators.Find(site.op, site.ranges, kInfinity);
    if (found.has_value()) range = found->worst;
  } else if (const auto found = Transfers().find(site.op.op); found != Transfers().end()) {
    range = found->second(site);
  } else if (!site.op.results.empty()) {
    range = OfType(site.function.value(site.op.results[0]).type.tensor.dtype);
  }
  if (std::isnan(range.low) || std::isnan(range.high)) return {};
  return range;
}

}  // namespace

ValueRange Product(ValueRange a, ValueRange b) {
  const auto [low, high] = std::minmax(
      {Times(a.low, b.low), Times(a.low, b.high), Times(a.high, b.low), Times(a.high, b.high)});
  return {low, high};
}

ValueRange Hull(ValueRange a, ValueRange b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

bool ValueRange::bounded() const { return std::isfinite(low) && std::isfinite(high); }

double ValueRange::Magnitude() const { return std::max(std::fabs(low), std::fabs(high)); }

ConstantSummary Summarize(const Constant& constant) {
  ConstantSummary summary;
  double low = kInfinity, high = -kInfinity;
  ForEachElement(constant, [&](size_t, double value) {
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    } else {
      (std::isnan(value) ? summary.has_nan : summary.has_infinity) = true;
    }
  });
  if (low <= high) summary.finite = {low, high};
  return summary;
}

std::vector<ConstantSummary> SummarizeConstants(const Function& function) {
  std::vector<ConstantSummary> summaries(function.values.size());
  uint64_t scanned = 0;
  for (size_t i = 0; i < summaries.size(); ++i) {
    const Value& value = function.values[i];
    if (value.constant == nullptr || value.type.kind != TypeKind::kTensor) continue;
    scanned += value.constant->bytes().size();
    if (scanned > kMostScanned) break;
    summaries[i] = Summarize(*value.constant);
  }
  return summaries;
}

std::vector<ValueRange> FindRanges(const Function& function,
                                   const std::vector<ConstantSummary>& constants,
                                   AccumulatorRanges& accumulators) {
  std::vector<ValueRange> ranges(function.values.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    const Value& value = function.values[i];
    if (value.type.kind == TypeKind::kTensor) ranges[i] = OfType(value.type.tensor.dtype);
    const ConstantSummary& summary = constants[i];
    if (value.constant == nullptr || value.constant->made_up()) continue;
    if (!summary.has_nan && !summary.has_infinity) ranges[i] = summary.finite;
  }
  for (const Operation& op : function.operations) {
    if (op.results.empty()) continue;
    const ValueRange range = RangeOf({function, op, ranges}, accumulators);
    for (ValueId result : op.results) ranges[result] = range;
  }
  return ranges;
}

}  // namespace anex::mil
