#include <algorithm>
#include <cmath>
#include <vector>

#include "server/device/cpu/reference/mover.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

// The order in which a row's elements come: largest or smallest first, NaN last in any case, equal
// ones as they stood.
class RowOrder {
 public:
  RowOrder(const Shape& shape, int axis, bool ascending)
      : size_(shape[axis]), ascending_(ascending) {
    for (int i = axis + 1; i < shape.rank(); ++i) stride_ *= shape[i];
  }

  int64_t size() const { return size_; }
  int64_t stride() const { return stride_; }
  uint64_t scratch_bytes() const { return static_cast<uint64_t>(size_) * sizeof(int32_t); }

  // Sorts the first `count` places of the row that starts at `first` into `order`, which has room
  // for all.
  void Sort(const TensorRef& x, int64_t first, int64_t count, int32_t* order) const {
    for (int64_t i = 0; i < size_; ++i) order[i] = static_cast<int32_t>(i);
    const auto sort = [&](auto get) {
      std::partial_sort(order, order + count, order + size_, [&](int32_t a, int32_t b) {
        return Before(get(x, first + a * stride_), get(x, first + b * stride_), a, b);
      });
    };
    if (HoldsFloats(x)) {
      sort(GetDouble);
    } else if (HoldsUint64(x)) {
      sort([](const TensorRef& from, int64_t i) { return static_cast<uint64_t>(GetInt(from, i)); });
    } else {
      sort(GetInt);
    }
  }

 private:
  template <typename T>
  bool Before(T left, T right, int32_t a, int32_t b) const {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(left) || std::isnan(right)) {
        return std::isnan(left) == std::isnan(right) ? a < b : std::isnan(right);
      }
    }
    if (left == right) return a < b;
    return ascending_ ? left < right : left > right;
  }

  int64_t size_, stride_ = 1;
  bool ascending_;
};

// Calls f(first element of the row, row's number before the axis, its number behind the axis).
template <typename F>
void ForRows(int64_t elements, const RowOrder& order, F f) {
  const int64_t block = order.size() * order.stride();
  for (int64_t outer = 0; outer < elements / block; ++outer) {
    for (int64_t inner = 0; inner < order.stride(); ++inner) {
      f(outer * block + inner, outer, inner);
    }
  }
}

class TopkKernel final : public Kernel {
 public:
  // `values` and `indices`: which results there are, by their place, or -1.
  TopkKernel(const RowOrder& order, int64_t count, int values, int indices)
      : order_(order), count_(count), values_(values), indices_(indices) {}

  uint64_t scratch_bytes(int) const override { return order_.scratch_bytes(); }

  void Run(const RunContext& run) const override {
    auto* order = reinterpret_cast<int32_t*>(run.scratch);
    const TensorRef& x = run.in[0];
    ForRows(x.view->elements(), order_, [&](int64_t first, int64_t outer, int64_t inner) {
      order_.Sort(x, first, count_, order);
      for (int64_t i = 0; i < count_; ++i) {
        const int64_t to = (outer * count_ + i) * order_.stride() + inner;
        if (values_ >= 0) Move(x, first + order[i] * order_.stride(), run.out[values_], to);
        if (indices_ >= 0) PutInt(run.out[indices_], to, order[i]);
      }
    });
  }

 private:
  const RowOrder order_;
  const int64_t count_;
  const int values_, indices_;
};

}  // namespace

MadeKernel MakeTopk(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  const int axis = FromZero(site.IntOr("axis", -1), shape.rank());
  if (shape[axis] > INT32_MAX) return site.Unsupported("the axis is too long for its indices");
  site.Use("x");
  const RowOrder order(shape, axis, site.BoolOr("ascending", false));
  if (site.op() == "argsort") return std::make_unique<TopkKernel>(order, shape[axis], -1, 0);
  const int indices = site.BoolOr("return_indices", true) ? 1 : -1;
  return std::make_unique<TopkKernel>(order, site.ResultType().shape[axis], 0, indices);
}

}  // namespace anex::device::cpu::reference
