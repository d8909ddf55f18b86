#include <cstdint>
#include <vector>

#include "server/device/cpu/einsum_shape.h"
#include "server/device/cpu/gemm.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

using Axes = std::vector<EinsumAxis>;

// The letters by what they are to a product.
struct Roles {
  Axes batch, rows, columns, depth;
};

// Nothing if a letter is summed in one operand alone, or if columns are not the last letters of the
// result: then a row of the product is not a run of the result.
bool RolesOf(const EinsumShape& shape, Roles& roles) {
  for (const EinsumAxis& axis : shape.kept) {
    if (axis.size == 1) continue;
    const bool column = axis.x == 0 && axis.y != 0;
    if (!column && !roles.columns.empty()) return false;
    (axis.y == 0 ? roles.rows : column ? roles.columns : roles.batch).push_back(axis);
  }
  for (const EinsumAxis& axis : shape.summed) {
    if (axis.size == 1) continue;
    if (axis.x == 0 || axis.y == 0) return false;
    roles.depth.push_back(axis);
  }
  return roles.rows.size() + roles.depth.size() <= kMaxRank &&
         roles.columns.size() + roles.depth.size() <= kMaxRank;
}

int64_t Count(const Axes& axes) {
  int64_t count = 1;
  for (const EinsumAxis& axis : axes) count *= axis.size;
  return count;
}

// Element number `i` of the axes, row-major, in one of the three tensors.
int64_t Offset(const Axes& axes, int64_t EinsumAxis::*stride, int64_t i) {
  int64_t offset = 0;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    offset += i % axis->size * ((*axis).*stride);
    i /= axis->size;
  }
  return offset;
}

View ViewOf(DType dtype, const Axes& outer, const Axes& inner, int64_t EinsumAxis::*stride) {
  std::vector<int64_t> dims;
  Strides strides{};
  for (const Axes* axes : {&outer, &inner}) {
    for (const EinsumAxis& axis : *axes) {
      strides[dims.size()] = axis.*stride;
      dims.push_back(axis.size);
    }
  }
  return {dtype, *Shape::Make(dims), strides, 0};
}

// A product per batch entry: both operands are read as they lie, in floats.
class EinsumKernel final : public Kernel {
 public:
  EinsumKernel(Roles roles, DType dtype)
      : ops_(ActiveVectorOps()),
        dtype_(dtype),
        roles_(std::move(roles)),
        m_(Count(roles_.rows)),
        n_(Count(roles_.columns)),
        k_(Count(roles_.depth)),
        x_(ViewOf(dtype, roles_.rows, roles_.depth, &EinsumAxis::x)),
        y_(ViewOf(dtype, roles_.depth, roles_.columns, &EinsumAxis::y)) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(SlotFloats() * slots) * sizeof(float);
  }

  void Run(const RunContext& run) const override {
    run.pool->ParallelFor(Count(roles_.batch), [&](int64_t entry, int slot) {
      float* scratch = reinterpret_cast<float*>(run.scratch) + slot * SlotFloats();
      RunOne(run, entry, scratch);
    });
  }

 private:
  int64_t SlotFloats() const { return (m_ * k_ + k_ * n_ + m_ * n_ + 15) / 16 * 16; }
  const std::byte* At(const TensorRef& tensor, int64_t element) const {
    return tensor.data + element * static_cast<int64_t>(ElementSize(dtype_));
  }

  void RunOne(const RunContext& run, int64_t entry, float* scratch) const {
    float* right = scratch + m_ * k_;
    float* product = right + k_ * n_;
    const float* x = x_.Load(At(run.in[0], Offset(roles_.batch, &EinsumAxis::x, entry)), 0,
                             static_cast<size_t>(m_ * k_), scratch);
    const float* y = y_.Load(At(run.in[1], Offset(roles_.batch, &EinsumAxis::y, entry)), 0,
                             static_cast<size_t>(k_ * n_), right);
    Gemm(m_, n_, k_, {x, k_}, {y, n_}, product, n_);
    const int64_t first = Offset(roles_.batch, &EinsumAxis::out, entry);
    for (int64_t row = 0; row < m_; ++row) {
      StoreFloats(ops_, dtype_, product + row * n_, run.out[0].data,
                  first + Offset(roles_.rows, &EinsumAxis::out, row), static_cast<size_t>(n_));
    }
  }

  const VectorOps& ops_;
  const DType dtype_;
  const Roles roles_;
  const int64_t m_, n_, k_;
  const Reader x_, y_;
};

}  // namespace

MadeKernel MakeEinsum(OpSite& site) {
  const DType dtype = site.ResultType().dtype;
  if (!IsFast(dtype)) return nullptr;
  const Shape x = site.InputView(site.Use("values", 0)).shape;
  const Shape y = site.InputView(site.Use("values", 1)).shape;
  Roles roles;
  if (!RolesOf(ReadEinsum(site, x, y), roles)) return nullptr;
  return std::make_unique<EinsumKernel>(std::move(roles), dtype);
}

}  // namespace anex::device::cpu
