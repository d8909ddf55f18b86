#include <cmath>
#include <limits>

#include "server/device/cpu/attention_shape.h"
#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/matmul_shape.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

// Element [batch..., row, column] of a view.
int64_t MatrixAt(const View& view, const Index& batch, int64_t row, int64_t column) {
  const int rank = view.shape.rank();
  int64_t at = row * view.strides[rank - 2] + column * view.strides[rank - 1];
  for (int axis = 0; axis < rank - 2; ++axis) at += batch[axis] * view.strides[axis];
  return at;
}

// A sum of products: in doubles, or in integers that wrap around.
class Dot {
 public:
  Dot(const TensorRef& x, const TensorRef& y)
      : x_(x), y_(y), integers_(!HoldsFloats(x) && !HoldsFloats(y)) {}

  void Add(int64_t x, int64_t y) {
    if (integers_) {
      whole_ += static_cast<uint64_t>(GetInt(x_, x)) * static_cast<uint64_t>(GetInt(y_, y));
    } else {
      sum_ += GetDouble(x_, x) * GetDouble(y_, y);
    }
  }
  // Element `i` of a bias.
  void Add(const TensorRef& bias, int64_t i) {
    if (integers_) {
      whole_ += static_cast<uint64_t>(GetInt(bias, i));
    } else {
      sum_ += GetDouble(bias, i);
    }
  }
  void Put(const TensorRef& out, int64_t i) const {
    integers_ ? PutInt(out, i, static_cast<int64_t>(whole_)) : PutDouble(out, i, sum_);
  }

 private:
  const TensorRef &x_, &y_;
  const bool integers_;
  double sum_ = 0;
  uint64_t whole_ = 0;
};

void RunMatmul(const MatmulShape& shape, const RunContext& run) {
  Index batch{};
  int64_t i = 0;
  do {
    for (int64_t row = 0; row < shape.m; ++row) {
      for (int64_t column = 0; column < shape.n; ++column) {
        Dot dot(run.in[0], run.in[1]);
        for (int64_t k = 0; k < shape.k; ++k) {
          dot.Add(MatrixAt(shape.x, batch, row, k), MatrixAt(shape.y, batch, k, column));
        }
        dot.Put(run.out[0], i++);
      }
    }
  } while (Advance(shape.batch, batch));
}

void RunLinear(int64_t rows, int64_t outputs, int64_t inputs, bool bias, const RunContext& run) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t o = 0; o < outputs; ++o) {
      Dot dot(run.in[0], run.in[1]);
      if (bias) dot.Add(run.in[2], o);
      for (int64_t k = 0; k < inputs; ++k) dot.Add(row * inputs + k, o * inputs + k);
      dot.Put(run.out[0], row * outputs + o);
    }
  }
}

// What the mask adds to one score; a bool mask keeps (adds nothing) or excludes.
double MaskOf(const AttentionShape& shape, const RunContext& run, int64_t head, int64_t query,
              int64_t key) {
  if (!shape.has_mask) return 0;
  const TensorRef& mask = run.in[3];
  const double value = GetDouble(
      mask, shape.mask_of[head] + query * shape.mask_query_step + key * shape.mask_key_step);
  if (mask.view->dtype != DType::kBool) return value;
  return value != 0 ? 0 : -std::numeric_limits<double>::infinity();
}

// Softmax of one row of scores into `weights`.
void AttendRow(const AttentionShape& shape, const RunContext& run, int64_t head, int64_t query,
               double* weights) {
  const double scale = 1 / std::sqrt(static_cast<double>(shape.depth));
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (int64_t key = 0; key < shape.keys; ++key) {
    double dot = 0;
    for (int64_t d = 0; d < shape.depth; ++d) {
      dot += GetDouble(run.in[0], shape.query_of[head] + query * shape.depth + d) *
             GetDouble(run.in[1], shape.key_of[head] + key * shape.depth + d);
    }
    weights[key] = dot * scale + MaskOf(shape, run, head, query, key);
    if (weights[key] > largest || std::isnan(weights[key])) largest = weights[key];
  }
  for (int64_t key = 0; key < shape.keys; ++key)
    sum += weights[key] = std::exp(weights[key] - largest);
  for (int64_t key = 0; key < shape.keys; ++key) weights[key] /= sum;
}

void RunAttention(const AttentionShape& shape, const RunContext& run) {
  auto* weights = reinterpret_cast<double*>(run.scratch);
  int64_t i = 0;
  for (int64_t head = 0; head < shape.heads; ++head) {
    for (int64_t query = 0; query < shape.queries; ++query) {
      AttendRow(shape, run, head, query, weights);
      for (int64_t w = 0; w < shape.width; ++w) {
        double sum = 0;
        for (int64_t key = 0; key < shape.keys; ++key) {
          sum += weights[key] * GetDouble(run.in[2], shape.value_of[head] + key * shape.width + w);
        }
        PutDouble(run.out[0], i++, sum);
      }
    }
  }
}

}  // namespace

MadeKernel MakeMatmul(OpSite& site) {
  const View x = site.InputView(site.Use("x")), y = site.InputView(site.Use("y"));
  return MakeFunctionKernel([shape = MatmulShapeOf(x, site.BoolOr("transpose_x", false), y,
                                                   site.BoolOr("transpose_y", false))](
                                const RunContext& run) { RunMatmul(shape, run); });
}

MadeKernel MakeLinear(OpSite& site) {
  const Shape& weight = site.TypeOf("weight").shape;
  site.Use("x");
  site.Use("weight");
  const bool bias = site.Has("bias");
  if (bias) site.Use("bias");
  const int64_t outputs = weight[0], inputs = weight[1];
  const int64_t rows = site.TypeOf("x").shape.ElementCount() / inputs;
  return MakeFunctionKernel(
      [=](const RunContext& run) { RunLinear(rows, outputs, inputs, bias, run); });
}

MadeKernel MakeAttention(OpSite& site) {
  for (const std::string_view operand : {"query", "key", "value"}) site.Use(operand);
  const AttentionShape shape = ReadAttention(site);
  if (shape.has_mask) site.Use("attn_mask");
  return MakeFunctionKernel([shape](const RunContext& run) { RunAttention(shape, run); },
                            static_cast<uint64_t>(shape.keys) * sizeof(double));
}

}  // namespace anex::device::cpu::reference
