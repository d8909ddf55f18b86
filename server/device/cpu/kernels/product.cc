#include "server/device/cpu/kernels/product.h"

#include <algorithm>

#include "server/device/cpu/kernels/panel.h"
#include "server/device/cpu/kernels/reader.h"

namespace anex::device::cpu {
namespace {

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t RoundUp(int64_t a, int64_t b) { return CeilDivide(a, b) * b; }

// Floats rounded up to a cache line, so that no two threads share one.
int64_t Padded(int64_t floats) { return RoundUp(floats, 16); }

class ProductKernel final : public Kernel {
 public:
  explicit ProductKernel(const ProductSpec& spec)
      : ops_(ActiveVectorOps()),
        spec_(spec),
        x_(spec.shape.x, spec.constant_x),
        y_(spec.shape.y, spec.constant_y),
        bias_(PackedView(spec.bias_dtype, Shape{BiasSize(spec)})),
        tile_(TileOf(spec.shape.m, spec.shape.n, spec.shape.k)),
        batches_(spec.shape.batch.ElementCount()),
        tiles_down_(CeilDivide(spec.shape.m, tile_.rows)),
        tiles_across_(CeilDivide(spec.shape.n, tile_.columns)) {}

  uint64_t scratch_bytes(int slots) const override {
    const int64_t floats = YScratch() + Padded(y_.scratch_floats()) + TileFloats() * slots;
    return static_cast<uint64_t>(floats + BiasFloats()) * sizeof(float);
  }
  uint64_t resident_bytes() const override { return x_.resident_bytes() + y_.resident_bytes(); }

  void Run(const RunContext& run) const override {
    auto* x_scratch = reinterpret_cast<float*>(run.scratch);
    float* y_scratch = x_scratch + YScratch();
    float* bias = y_scratch + Padded(y_.scratch_floats());
    float* tiles = bias + BiasFloats();
    if (spec_.bias != ProductBias::kNone) {
      const auto n = static_cast<size_t>(BiasSize(spec_));
      const float* loaded = bias_.Load(run.in[2].data, 0, n, bias);
      if (loaded != bias) std::copy_n(loaded, n, bias);
    }
    Widen(run, x_scratch, y_scratch);
    const int64_t each = PerTask(), count = batches_ * tiles_down_ * tiles_across_;
    run.pool->ParallelFor(CeilDivide(count, each), [&](int64_t task, int slot) {
      const int64_t end = std::min((task + 1) * each, count);
      for (int64_t i = task * each; i < end; ++i) {
        RunTile(run, i, x_scratch, y_scratch, bias, tiles + slot * TileFloats());
      }
    });
  }

 private:
  void Widen(const RunContext& run, float* x_scratch, float* y_scratch) const {
    const int64_t x_pieces = x_.pieces(), pieces = x_pieces + y_.pieces();
    const auto widen = [&](int64_t piece, int) {
      if (piece < x_pieces) {
        x_.Convert(piece, run.in[0], x_scratch);
      } else {
        y_.Convert(piece - x_pieces, run.in[1], y_scratch);
      }
    };
    constexpr int64_t kWorthSharing = 64 * 1024;
    if (x_.scratch_floats() + y_.scratch_floats() >= kWorthSharing) {
      return run.pool->ParallelFor(pieces, widen);
    }
    for (int64_t piece = 0; piece < pieces; ++piece) widen(piece, 0);
  }

  static int64_t BiasSize(const ProductSpec& spec) {
    if (spec.bias == ProductBias::kPerColumn) return spec.shape.n;
    return spec.bias == ProductBias::kPerRow ? spec.shape.m * spec.bias_batches : 1;
  }
  int64_t YScratch() const { return Padded(x_.scratch_floats()); }
  int64_t BiasFloats() const { return Padded(BiasSize(spec_)); }
  bool Direct() const { return spec_.result == DType::kFp32; }
  int64_t TileFloats() const { return Direct() ? 0 : Padded(tile_.rows * tile_.columns); }
  // Small products of a batch go several to a task: waking a helper costs more than one of them.
  int64_t PerTask() const {
    const int64_t work = tile_.rows * tile_.columns * spec_.shape.k;
    return std::max<int64_t>(1, (int64_t{1} << 19) / std::max<int64_t>(work, 1));
  }

  void RunTile(const RunContext& run, int64_t i, const float* x_scratch, const float* y_scratch,
               const float* bias, float* tile) const {
    const MatmulShape& shape = spec_.shape;
    const int64_t column = i % tiles_across_ * tile_.columns;
    const int64_t row = i / tiles_across_ % tiles_down_ * tile_.rows;
    const int64_t batch = i / (tiles_across_ * tiles_down_);
    const int64_t rows = std::min(tile_.rows, shape.m - row);
    const int64_t columns = std::min(tile_.columns, shape.n - column);
    const int64_t first = (batch * shape.m + row) * shape.n + column;
    const int64_t stride = Direct() ? shape.n : columns;
    float* to = Direct() ? run.out[0].as<float>() + first : tile;
    Gemm(rows, columns, shape.k, x_.At(batch, row, 0, run.in[0], x_scratch),
         y_.At(batch, 0, column, run.in[1], y_scratch), to, stride);
    if (spec_.bias == ProductBias::kPerColumn)
      AddColumnBias(to, stride, rows, columns, bias + column);
    if (spec_.bias == ProductBias::kPerRow) {
      AddRowBias(to, stride, rows, columns, bias + batch % spec_.bias_batches * shape.m + row);
    }
    if (Direct()) return;
    if (columns == shape.n) return Round(tile, run, first, rows * columns);
    for (int64_t r = 0; r < rows; ++r) Round(tile + r * columns, run, first + r * shape.n, columns);
  }

  void Round(const float* from, const RunContext& run, int64_t first, int64_t n) const {
    ops_.float_to_half(from, run.out[0].as<uint16_t>() + first, static_cast<size_t>(n));
  }

  static void AddColumnBias(float* to, int64_t stride, int64_t rows, int64_t columns,
                            const float* bias) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) to[r * stride + c] += bias[c];
    }
  }
  static void AddRowBias(float* to, int64_t stride, int64_t rows, int64_t columns,
                         const float* bias) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) to[r * stride + c] += bias[r];
    }
  }

  const VectorOps& ops_;
  const ProductSpec spec_;
  const Panels x_, y_;
  const Reader bias_;
  const Tile tile_;
  const int64_t batches_, tiles_down_, tiles_across_;
};

}  // namespace

bool IsMatrixLike(const View& view) {
  const int rank = view.shape.rank();
  if (rank < 2) return IsContiguous(view);
  const int64_t rows = view.shape[rank - 2], columns = view.shape[rank - 1];
  const int64_t row_stride = view.strides[rank - 2], column_stride = view.strides[rank - 1];
  const bool by_rows = (columns == 1 || column_stride == 1) && (rows == 1 || row_stride >= columns);
  const bool by_columns = (rows == 1 || row_stride == 1) && (columns == 1 || column_stride >= rows);
  return by_rows || by_columns;
}

// Tiles of about 32 million multiplications (0.5 ms): small enough to share among a few threads and
// to stay fair to others, large enough that CBLAS packs each operand only a few times.
Tile TileOf(int64_t m, int64_t n, int64_t k) {
  constexpr int64_t kTarget = int64_t{32} << 20;
  constexpr int64_t kSide = 48;  // a multiple of every kernel's register block that we know of
  Tile tile{m, n};
  if (m * n * k <= kTarget) return tile;
  const int64_t area = std::max(kSide * kSide, kTarget / k);
  // Keep the shorter side whole as long as that leaves tiles of a sensible shape.
  if (n <= m) {
    tile.columns = std::min(n, RoundUp(std::max<int64_t>(512, area / m), kSide));
    tile.rows = std::min(m, RoundUp(std::max<int64_t>(1, area / tile.columns), kSide));
  } else {
    tile.rows = std::min(m, RoundUp(std::max<int64_t>(512, area / n), kSide));
    tile.columns = std::min(n, RoundUp(std::max<int64_t>(1, area / tile.rows), kSide));
  }
  return tile;
}

std::unique_ptr<Kernel> MakeProduct(const ProductSpec& spec) {
  return std::make_unique<ProductKernel>(spec);
}

}  // namespace anex::device::cpu
