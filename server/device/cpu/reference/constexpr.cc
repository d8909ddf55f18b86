// Compressed weights. These run once, at Load, over as many elements as a model has weights: rows
// are gone through with strides instead of a position worked out for each element.
//
// Weight files are untrusted and nothing has looked into their data: an index past its palette
// takes the last entry, and bits of a mask past the data stand for zeros.
#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "server/device/cpu/function_kernel.h"
#include "server/device/cpu/reference/element.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu::reference {
namespace {

int64_t ByteSize(const TensorRef& tensor) {
  return static_cast<int64_t>(ElementSize(tensor.view->dtype));
}

// to[to_at] = from[from_at], both of one type.
void Move(const TensorRef& from, int64_t from_at, const TensorRef& to, int64_t to_at) {
  const int64_t size = ByteSize(to);
  std::memcpy(to.data + to_at * size, from.data + from_at * size, static_cast<size_t>(size));
}

void Clear(const TensorRef& to, int64_t at) {
  std::memset(to.data + at * ByteSize(to), 0, static_cast<size_t>(ByteSize(to)));
}

// Element `i` of packed numbers of `bits` bits, lowest first; an element may straddle two bytes.
int64_t PackedAt(const TensorRef& packed, int64_t i, int bits) {
  const auto* bytes = packed.as<const uint8_t>();
  const int64_t first = i * bits;
  const unsigned shift = static_cast<unsigned>(first % 8);
  unsigned value = bytes[first / 8];
  if (shift + static_cast<unsigned>(bits) > 8) value |= unsigned{bytes[first / 8 + 1]} << 8;
  return (value >> shift) & ((1u << bits) - 1);
}

// One dimension of the result may be repeated, or cut into blocks, in an operand: element j of it
// is element j / group there.
struct Grouped {
  Shape shape;        // of the operand's leading axes
  Strides strides{};  // elements, per axis of the result
  Strides group{};    // elements of the result that share one of the operand
};

// `operand`, of the rank of `result` (or more: axes behind are left out), under it.
Grouped GroupedBy(const Shape& result, const Shape& operand) {
  Grouped grouped{operand, PackedStrides(operand), {}};
  for (int axis = 0; axis < result.rank(); ++axis) {
    grouped.group[axis] = result[axis] / operand[axis];
  }
  return grouped;
}

// The element for `index` but its last axis.
int64_t RowOf(const Grouped& grouped, const Index& index, int last) {
  int64_t at = 0;
  for (int axis = 0; axis < last; ++axis) {
    at += index[axis] / grouped.group[axis] * grouped.strides[axis];
  }
  return at;
}

int64_t InRow(const Grouped& grouped, int last, int64_t j) {
  return j / grouped.group[last] * grouped.strides[last];
}

// Calls f(index of the row's first element, number of that element) for each row of `shape`.
template <typename F>
void ForRows(const Shape& shape, F f) {
  std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
  const int64_t length = dims.back();
  dims.back() = 1;
  const Shape rows = *Shape::Make(dims);
  Index index{};
  int64_t at = 0;
  do {
    f(index, at);
    at += length;
  } while (Advance(rows, index));
}

// Palettes of a result: which one an element uses, and which element of a vector.
struct Palettes {
  Shape result;
  Grouped indices, blocks;
  int64_t entries = 1, vector = 1;
  int axis = 0;  // of vectors

  // Element of `lut` for entry `index` of the palette that begins at `block`.
  int64_t EntryAt(int64_t block, int64_t index, int64_t component) const {
    return block + std::clamp<int64_t>(index, 0, entries - 1) * vector + component;
  }
};

Palettes PalettesOf(const Shape& result, const Shape& indices, const Shape& lut, int64_t axis) {
  const int rank = result.rank();
  Palettes palettes{result, GroupedBy(result, indices), GroupedBy(result, lut)};
  palettes.entries = lut[rank];
  palettes.vector = lut[rank + 1];
  palettes.axis = FromZero(axis, rank);
  return palettes;
}

// Calls f(element of the result, element of the indices, block of the lut, component of the vector)
// for every element of the result.
template <typename F>
void ForPalettes(const Palettes& palettes, F f) {
  const int last = palettes.result.rank() - 1;
  const int64_t length = palettes.result[last];
  ForRows(palettes.result, [&](const Index& index, int64_t first) {
    const int64_t from = RowOf(palettes.indices, index, last);
    const int64_t block = RowOf(palettes.blocks, index, last);
    for (int64_t j = 0; j < length; ++j) {
      const int64_t along = palettes.axis == last ? j : index[palettes.axis];
      f(first + j, from + InRow(palettes.indices, last, j), block + InRow(palettes.blocks, last, j),
        along % palettes.vector);
    }
  });
}

MadeKernel MakePackedLut(OpSite& site) {
  site.Use("indices");
  site.Use("lut");
  const int64_t entries = site.TypeOf("lut").shape.ElementCount();
  const int bits = std::bit_width(static_cast<uint64_t>(entries)) - 1;
  return MakeFunctionKernel([bits](const RunContext& run) {
    const int64_t count = run.out[0].view->elements();
    for (int64_t i = 0; i < count; ++i) {
      Move(run.in[1], PackedAt(run.in[0], i, bits), run.out[0], i);
    }
  });
}

// scale and offset of blocks of a shape.
struct Blocks {
  Shape shape;
  Grouped grouped;
  bool offset = false;

  // f(element, its scale, its offset) for every element.
  template <typename F>
  void ForEach(const RunContext& run, size_t scale, F f) const {
    const int last = shape.rank() - 1;
    ForRows(shape, [&](const Index& index, int64_t first) {
      const int64_t row = RowOf(grouped, index, last);
      for (int64_t j = 0; j < shape[last]; ++j) {
        const int64_t block = row + InRow(grouped, last, j);
        f(first + j, GetDouble(run.in[scale], block),
          offset ? GetDouble(run.in[scale + 1], block) : 0.0);
      }
    });
  }
};

Blocks UseBlocks(OpSite& site, const Shape& shape) {
  site.Use("scale");
  if (site.Has("offset")) site.Use("offset");
  return {shape, GroupedBy(shape, site.TypeOf("scale").shape), site.Has("offset")};
}

}  // namespace

MadeKernel MakeLutToDense(OpSite& site) {
  if (site.Has("shape")) return MakePackedLut(site);
  site.Use("indices");
  site.Use("lut");
  return MakeFunctionKernel(
      [palettes = PalettesOf(site.ResultType().shape, site.TypeOf("indices").shape,
                             site.TypeOf("lut").shape,
                             site.IntOr("vector_axis", 0))](const RunContext& run) {
        ForPalettes(palettes, [&](int64_t at, int64_t from, int64_t block, int64_t component) {
          const int64_t entry = palettes.EntryAt(block, GetInt(run.in[0], from), component);
          Move(run.in[1], entry, run.out[0], at);
        });
      });
}

MadeKernel MakeSparseToDense(OpSite& site) {
  site.Use("mask");
  site.Use("nonzero_data");
  return MakeFunctionKernel([packed = site.Has("shape")](const RunContext& run) {
    const int64_t count = run.out[0].view->elements(), given = run.in[1].view->elements();
    int64_t next = 0;
    for (int64_t i = 0; i < count; ++i) {
      const bool set = packed ? PackedAt(run.in[0], i, 1) != 0 : GetInt(run.in[0], i) != 0;
      if (set && next < given) {
        Move(run.in[1], next++, run.out[0], i);
      } else {
        Clear(run.out[0], i);
      }
    }
  });
}

// Two results: the mask with each bit as often as a vector has elements, and those elements. In
// scratch memory: which of the nonzero data a bit of the mask stands for.
MadeKernel MakeLutToSparse(OpSite& site) {
  site.Use("indices_mask");
  site.Use("indices_nonzero_data");
  site.Use("lut");
  const Shape& mask = site.TypeOf("indices_mask").shape;
  return MakeFunctionKernel(
      [palettes = PalettesOf(site.ResultType().shape, mask, site.TypeOf("lut").shape,
                             site.IntOr("vector_axis", 0))](const RunContext& run) {
        auto* place = reinterpret_cast<int64_t*>(run.scratch);
        const int64_t bits = run.in[0].view->elements(), given = run.in[1].view->elements();
        for (int64_t i = 0, next = 0; i < bits; ++i) {
          place[i] = GetInt(run.in[0], i) != 0 && next < given ? next++ : -1;
        }
        int64_t next = 0;
        ForPalettes(palettes, [&](int64_t at, int64_t from, int64_t block, int64_t component) {
          PutInt(run.out[0], at, place[from] >= 0);
          if (place[from] < 0) return;
          const int64_t index = GetInt(run.in[1], place[from]);
          Move(run.in[2], palettes.EntryAt(block, index, component), run.out[1], next++);
        });
        while (next < run.out[1].view->elements()) Clear(run.out[1], next++);
      },
      static_cast<uint64_t>(mask.ElementCount()) * sizeof(int64_t));
}

MadeKernel MakeBlockwise(OpSite& site) {
  site.Use("data");
  const Blocks blocks = UseBlocks(site, site.ResultType().shape);
  return MakeFunctionKernel([blocks](const RunContext& run) {
    blocks.ForEach(run, 1, [&](int64_t at, double scale, double offset) {
      PutDouble(run.out[0], at, scale * (GetDouble(run.in[0], at) - offset));
    });
  });
}

MadeKernel MakeSparseBlockwise(OpSite& site) {
  site.Use("data_mask");
  site.Use("nonzero_data");
  const Blocks blocks = UseBlocks(site, site.ResultType().shape);
  return MakeFunctionKernel([blocks](const RunContext& run) {
    const int64_t given = run.in[1].view->elements();
    int64_t next = 0;
    blocks.ForEach(run, 2, [&](int64_t at, double scale, double offset) {
      const bool set = GetInt(run.in[0], at) != 0 && next < given;
      PutInt(run.out[0], at, set);
      if (!set) return;
      PutDouble(run.out[1], next, scale * (GetDouble(run.in[1], next) - offset));
      ++next;
    });
    while (next < given) Clear(run.out[1], next++);
  });
}

MadeKernel MakeConstexprCast(OpSite& site) {
  site.Use("source_val");
  return MakeFunctionKernel([](const RunContext& run) {
    const int64_t count = run.out[0].view->elements();
    for (int64_t i = 0; i < count; ++i) PutDouble(run.out[0], i, GetDouble(run.in[0], i));
  });
}

}  // namespace anex::device::cpu::reference
