#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"
#include "server/device/cpu/slice_range.h"

namespace anex::device::cpu::reference {
namespace {

// These only move elements, so bits are copied: nothing is widened or rounded.
void Move(const TensorRef& from, int64_t from_at, const TensorRef& to, int64_t to_at) {
  const auto size = static_cast<int64_t>(ElementSize(to.view->dtype));
  std::memcpy(to.data + to_at * size, from.data + from_at * size, static_cast<size_t>(size));
}

// A kernel that fills each element of its one result from `source(run, index of the element)`, a
// pair of operand and position.
struct Source {
  size_t operand;
  int64_t at;
};

template <typename F>
std::unique_ptr<Kernel> MakeMover(F source) {
  return MakeFunctionKernel([source](const RunContext& run) {
    Index index{};
    int64_t i = 0;
    do {
      const Source from = source(run, index);
      Move(run.in[from.operand], from.at, run.out[0], i++);
    } while (Advance(run.out[0].view->shape, index));
  });
}

// Copies `in` into the block of `out` that starts at `start` along `axis`, every `step`-th.
void MoveBlock(const TensorRef& in, const TensorRef& out, int axis, int64_t start, int64_t step) {
  Index index{};
  int64_t i = 0;
  do {
    Index to = index;
    to[axis] = start + index[axis] * step;
    Move(in, i++, out, Position(out.view->shape, to, out.view->shape.rank()));
  } while (Advance(in.view->shape, index));
}

// Which input element stands at padded position `at` of an axis of `size`; -1: the constant.
enum class PadMode { kConstant, kReflect, kReplicate };
int64_t Unpadded(PadMode mode, int64_t at, int64_t size) {
  if (at >= 0 && at < size) return at;
  if (mode == PadMode::kConstant) return -1;
  if (mode == PadMode::kReplicate || size == 1) return at < 0 ? 0 : size - 1;
  const int64_t period = 2 * (size - 1);
  const int64_t folded = ((at % period) + period) % period;
  return folded < size ? folded : period - folded;
}

absl::StatusOr<PadMode> ReadPadMode(const OpSite& site) {
  const std::string mode = site.Has("mode") ? site.Text("mode") : "constant";
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "replicate") return PadMode::kReplicate;
  return site.Unsupported("unknown mode " + mode);
}

// Indices come from clients' memory: read once, wrapped if negative, kept inside the axis.
int64_t SafeIndex(const TensorRef& indices, int64_t i, int64_t size) {
  const int64_t index = GetInt(indices, i);
  return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size - 1);
}

}  // namespace

MadeKernel MakeReshape(OpSite& site) {
  site.Use("x");
  return MakeFunctionKernel([](const RunContext& run) {
    std::memcpy(run.out[0].data, run.in[0].data, run.out[0].view->bytes());
  });
}

MadeKernel MakeTranspose(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  site.Use("x");
  return MakeMover(
      [shape, perm = site.Axes("perm", shape.rank())](const RunContext&, const Index& index) {
        Index from{};
        for (size_t axis = 0; axis < perm.size(); ++axis) from[perm[axis]] = index[axis];
        return Source{0, Position(shape, from, shape.rank())};
      });
}

MadeKernel MakeSlice(OpSite& site) {
  if (!site.IsConstant("begin")) return site.Unsupported("begin must be a constant");
  const Shape& shape = site.TypeOf("x").shape;
  site.Use("x");
  return MakeMover([shape, range = SliceRangeOf(site)](const RunContext&, const Index& index) {
    Index from{};
    int out_axis = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const int64_t i = range.squeezed[axis] ? 0 : index[out_axis++];
      from[axis] = range.start[axis] + i * range.step[axis];
    }
    return Source{0, Position(shape, from, shape.rank())};
  });
}

MadeKernel MakeSplit(OpSite& site) {
  const int axis = FromZero(site.Int("axis"), site.TypeOf("x").shape.rank());
  site.Use("x");
  return MakeFunctionKernel([axis, starts = SplitStarts(site, axis)](const RunContext& run) {
    for (size_t part = 0; part < run.out.size(); ++part) {
      const TensorRef &x = run.in[0], &out = run.out[part];
      Index index{};
      int64_t i = 0;
      do {
        Index from = index;
        from[axis] += starts[part];
        Move(x, Position(x.view->shape, from, x.view->shape.rank()), out, i++);
      } while (Advance(out.view->shape, index));
    }
  });
}

MadeKernel MakeConcat(OpSite& site) {
  const int axis = FromZero(site.Int("axis"), site.ResultType().shape.rank());
  for (size_t i = 0; i < site.CountOf("values"); ++i) site.Use("values", i);
  return MakeFunctionKernel(
      [axis, interleave = site.BoolOr("interleave", false)](const RunContext& run) {
        int64_t start = 0;
        for (const TensorRef& in : run.in) {
          const auto step = interleave ? static_cast<int64_t>(run.in.size()) : 1;
          MoveBlock(in, run.out[0], axis, start, step);
          start += interleave ? 1 : in.view->shape[axis];
        }
      });
}

MadeKernel MakeStack(OpSite& site) {
  const int axis = FromZero(site.Int("axis"), site.ResultType().shape.rank());
  for (size_t i = 0; i < site.CountOf("values"); ++i) site.Use("values", i);
  return MakeMover([axis](const RunContext& run, const Index& index) {
    const Shape& part = run.in[0].view->shape;
    Index from{};
    for (int to = 0, rank = part.rank(); to < rank; ++to) from[to] = index[to < axis ? to : to + 1];
    return Source{static_cast<size_t>(index[axis]), Position(part, from, part.rank())};
  });
}

MadeKernel MakeTile(OpSite& site) {
  const Shape& shape = site.TypeOf("x").shape;
  site.Use("x");
  return MakeMover([shape](const RunContext&, const Index& index) {
    Index from{};
    for (int axis = 0; axis < shape.rank(); ++axis) from[axis] = index[axis] % shape[axis];
    return Source{0, Position(shape, from, shape.rank())};
  });
}

MadeKernel MakePad(OpSite& site) {
  absl::StatusOr<PadMode> mode = ReadPadMode(site);
  if (!mode.ok()) return mode.status();
  const Shape& shape = site.TypeOf("x").shape;
  site.Use("x");
  const std::vector<int64_t> pad = site.Ints("pad");
  const int first = shape.rank() - static_cast<int>(pad.size() / 2);  // axes before are not padded
  return MakeFunctionKernel([shape, pad, first, mode = *mode,
                             value = site.DoubleOr("constant_val", 0)](const RunContext& run) {
    Index index{};
    int64_t i = 0;
    do {
      Index from = index;
      bool inside = true;
      for (int axis = first; axis < shape.rank(); ++axis) {
        from[axis] = Unpadded(mode, index[axis] - pad[2 * (axis - first)], shape[axis]);
        inside = inside && from[axis] >= 0;
      }
      if (inside) {
        Move(run.in[0], Position(shape, from, shape.rank()), run.out[0], i++);
      } else {
        PutDouble(run.out[0], i++, value);
      }
    } while (Advance(run.out[0].view->shape, index));
  });
}

// out[batch..., before..., indices..., after...] = x[batch..., before..., index, after...]
MadeKernel MakeGather(OpSite& site) {
  const Shape &shape = site.TypeOf("x").shape, &indices = site.TypeOf("indices").shape;
  const int axis = FromZero(site.IntOr("axis", 0), shape.rank());
  const int batch = static_cast<int>(site.IntOr("batch_dims", 0));
  site.Use("x");
  site.Use("indices");
  const int own = indices.rank() - batch;  // axes of the result that come from the indices
  return MakeMover([=](const RunContext& run, const Index& index) {
    Index which{}, from{};
    for (int i = 0; i < indices.rank(); ++i) which[i] = index[i < batch ? i : axis + i - batch];
    for (int i = 0; i < shape.rank(); ++i) from[i] = index[i < axis ? i : i + own - 1];
    from[axis] = SafeIndex(run.in[1], Position(indices, which, indices.rank()), shape[axis]);
    return Source{0, Position(shape, from, shape.rank())};
  });
}

MadeKernel MakeGatherAlongAxis(OpSite& site) {
  const Shape &shape = site.TypeOf("x").shape, &indices = site.TypeOf("indices").shape;
  const int axis = FromZero(site.IntOr("axis", 0), shape.rank());
  site.Use("x");
  site.Use("indices");
  return MakeMover([=](const RunContext& run, const Index& index) {
    Index from = index;
    from[axis] = SafeIndex(run.in[1], Position(indices, index, indices.rank()), shape[axis]);
    return Source{0, Position(shape, from, shape.rank())};
  });
}

MadeKernel MakeFill(OpSite& site) {
  const bool range = site.op() == "range_1d";
  const double start = site.Double(range ? "start" : "value");
  const double step = range ? site.Double("step") : 0;
  return MakeFunctionKernel([start, step](const RunContext& run) {
    const int64_t count = run.out[0].view->elements();
    for (int64_t i = 0; i < count; ++i) {
      PutDouble(run.out[0], i, start + step * static_cast<double>(i));
    }
  });
}

}  // namespace anex::device::cpu::reference
