// What scaled_dot_product_attention computes. Shared by both modes. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_ATTENTION_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_ATTENTION_SHAPE_H_

#include <array>
#include <cstdint>

#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

// Where the matrix of each head starts, in elements, in a packed operand whose batch axes of size 1
// are repeated. Computed, never listed.
class MatrixStarts {
 public:
  MatrixStarts() = default;
  // `out`: the batch axes of all heads, and two more.
  MatrixStarts(const Shape& operand, const Shape& out);
  int64_t operator[](int64_t head) const;

 private:
  struct Axis {
    int64_t size = 1, step = 0;
  };
  std::array<Axis, kMaxRank> axes_;
  int rank_ = 0;
};

// softmax(query [queries, depth] key^T [keys, depth] / sqrt(depth) + mask) value [keys, width], for
// each of `heads` (all batch axes together).
struct AttentionShape {
  int64_t heads = 1, queries = 0, keys = 0, depth = 0, width = 0;
  MatrixStarts query_of, key_of, value_of;
  bool has_mask = false;
  MatrixStarts mask_of;
  int64_t mask_query_step = 0, mask_key_step = 0;  // elements; 0 where the mask is repeated
};

AttentionShape ReadAttention(const OpSite& site);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_ATTENTION_SHAPE_H_
