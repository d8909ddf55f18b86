// Matrix products over CBLAS: what matmul, linear and pointwise convolutions come down to.
//
// Operands are widened to float panels (once at Load if they are constants), multiplied with float
// accumulators, and each element of the result is rounded once. The result is cut into tiles by its
// shape alone, each tile is one single-threaded CBLAS call, and K is never cut: the bits do not
// depend on the number of threads.
#ifndef ANEX_SERVER_DEVICE_CPU_KERNELS_PRODUCT_H_
#define ANEX_SERVER_DEVICE_CPU_KERNELS_PRODUCT_H_

#include <cstddef>
#include <memory>

#include "server/device/cpu/kernel.h"
#include "server/device/cpu/matmul_shape.h"

namespace anex::device::cpu {

// Added to the product before it is rounded; a packed vector.
enum class ProductBias : uint8_t { kNone = 0, kPerColumn = 1, kPerRow = 2 };

struct ProductSpec {
  MatmulShape shape;
  DType result = DType::kFp16;
  const std::byte* constant_x = nullptr;  // the operand's buffer if it is known at Load
  const std::byte* constant_y = nullptr;
  ProductBias bias = ProductBias::kNone;  // in[2]; kPerRow: one vector of m per batch entry modulo
  int64_t bias_batches = 1;               // ... this many
  DType bias_dtype = DType::kFp16;
};

// True if a panel can be made of the last two axes as they lie: one of them without gaps.
bool IsMatrixLike(const View& view);

// in[0], in[1] lie as shape.x, shape.y say. REQUIRES: fp16 or fp32, IsMatrixLike.
std::unique_ptr<Kernel> MakeProduct(const ProductSpec& spec);

// How a result is cut: sizes of a tile. Pure; depends on the arguments only.
struct Tile {
  int64_t rows, columns;
};
Tile TileOf(int64_t m, int64_t n, int64_t k);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_KERNELS_PRODUCT_H_
