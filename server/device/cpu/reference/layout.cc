#include <cstring>
#include <vector>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/pad_shape.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/mover.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

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

// Scalars (and vectors of one element) joined to a vector.
std::unique_ptr<Kernel> MakeScalarJoin() {
  return MakeFunctionKernel([](const RunContext& run) {
    int64_t i = 0;
    for (const TensorRef& in : run.in) {
      for (int64_t from = 0; from < in.view->elements(); ++from) Move(in, from, run.out[0], i++);
    }
  });
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

MadeKernel MakeConcat(OpSite& site) {
  const int axis = FromZero(site.Int("axis"), site.ResultType().shape.rank());
  for (size_t i = 0; i < site.CountOf("values"); ++i) site.Use("values", i);
  if (site.InputView(0).shape.rank() == 0) return MakeScalarJoin();
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
  const absl::StatusOr<PadShape> pad = ReadPad(site);
  if (!pad.ok()) return pad.status();
  site.Use("x");
  return MakeFunctionKernel([pad = *pad](const RunContext& run) {
    const int rank = pad.in.rank();
    Index index{};
    int64_t i = 0;
    do {
      Index from{};
      bool inside = true;
      for (int axis = 0; axis < rank; ++axis) {
        from[axis] = pad.Source(axis, index[axis]);
        inside = inside && from[axis] >= 0;
      }
      if (inside) {
        Move(run.in[0], Position(pad.in, from, rank), run.out[0], i++);
      } else {
        PutPadding(pad, run.out[0], i++);
      }
    } while (Advance(run.out[0].view->shape, index));
  });
}

}  // namespace anex::device::cpu::reference
