#include "server/device/cpu/elementwise_op.h"

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace anex::device::cpu {
namespace {

struct Row {
  ElementwiseOp op;
  std::string_view name;
  int operands;
};

constexpr Row kRows[] = {
#define ANEX_CPU_ROW(name, mil, operands) {ElementwiseOp::name, mil, operands},
    ANEX_CPU_ELEMENTWISE(ANEX_CPU_ROW)
#undef ANEX_CPU_ROW
};

absl::StatusOr<ElementwiseOp> ReadOp(const OpSite& site) {
  if (site.op() == "gelu") {
    const std::string mode = site.Has("mode") ? site.Text("mode") : "EXACT";
    if (mode == "EXACT") return ElementwiseOp::kGeluExact;
    if (mode == "TANH_APPROXIMATION") return ElementwiseOp::kGeluTanh;
    if (mode == "SIGMOID_APPROXIMATION") return ElementwiseOp::kGeluSigmoid;
    return site.Unsupported(absl::StrCat("unknown mode ", mode));
  }
  for (const Row& row : kRows) {
    if (row.name == site.op()) return row.op;
  }
  return site.Unsupported("it is not elementwise");
}

ElementwiseParams Bounds(const OpSite& site, std::initializer_list<std::string_view> names) {
  ElementwiseParams params;
  double* number = &params.a;
  int64_t* whole = &params.whole_a;
  for (const std::string_view name : names) {
    *number = site.Double(name);
    if (!IsFloat(site.TypeOf(name).dtype)) *whole = site.Int(name);
    number = &params.b;
    whole = &params.whole_b;
  }
  return params;
}

ElementwiseParams ReadParams(const OpSite& site, ElementwiseOp op) {
  switch (op) {
    case ElementwiseOp::kClip:
      return Bounds(site, {"alpha", "beta"});
    case ElementwiseOp::kRsqrt:
      return {site.DoubleOr("epsilon", 1e-12)};
    case ElementwiseOp::kInverse:
      return {site.DoubleOr("epsilon", 1e-4)};
    case ElementwiseOp::kLog:
      return {site.DoubleOr("epsilon", 1e-45)};
    case ElementwiseOp::kThreshold:
      return Bounds(site, {"alpha"});
    case ElementwiseOp::kLeakyRelu:
    case ElementwiseOp::kElu:
    case ElementwiseOp::kThresholdedRelu:
      return {site.Double("alpha")};
    case ElementwiseOp::kSigmoidHard:
    case ElementwiseOp::kLinear:
    case ElementwiseOp::kClampedRelu:
    case ElementwiseOp::kScaledTanh:
      return {site.Double("alpha"), site.Double("beta")};
    default:
      return {};
  }
}

bool IsPerChannel(ElementwiseOp op) {
  return op == ElementwiseOp::kPrelu || op == ElementwiseOp::kSoftplusParametric;
}

}  // namespace

absl::StatusOr<Elementwise> ReadElementwise(const OpSite& site) {
  absl::StatusOr<ElementwiseOp> op = ReadOp(site);
  if (!op.ok()) return op.status();
  return Elementwise{*op, kRows[static_cast<size_t>(*op)].operands, ReadParams(site, *op)};
}

std::span<const std::string_view> OperandNames(const Elementwise& elementwise) {
  static constexpr std::string_view kNumbers[] = {"x", "y"};
  static constexpr std::string_view kSelect[] = {"cond", "a", "b"};
  static constexpr std::string_view kPerChannel[] = {"x", "alpha", "beta"};
  if (elementwise.op == ElementwiseOp::kSelect) return kSelect;
  if (IsPerChannel(elementwise.op)) {
    return std::span(kPerChannel).first(static_cast<size_t>(elementwise.operands));
  }
  return std::span(kNumbers).first(static_cast<size_t>(elementwise.operands));
}

View BroadcastForm(const Elementwise& elementwise, size_t i, const View& view, int rank) {
  if (i == 0 || !IsPerChannel(elementwise.op)) return view;
  std::vector<int64_t> dims(static_cast<size_t>(rank - 1), 1);
  dims[0] = view.shape[0];
  View result{view.dtype, *Shape::Make(dims), {}, view.offset};
  result.strides[0] = view.strides[0];
  return result;
}

}  // namespace anex::device::cpu
