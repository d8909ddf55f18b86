// What scaled_dot_product_attention computes. Shared by both modes. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_ATTENTION_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_ATTENTION_SHAPE_H_

#include <cstdint>
#include <vector>

#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

// softmax(query [queries, depth] key^T [keys, depth] / sqrt(depth) + mask) value [keys, width], for
// each of `heads` (all batch axes together).
struct AttentionShape {
  int64_t heads = 1, queries = 0, keys = 0, depth = 0, width = 0;
  // Per head, the matrix of the operand that it uses: batch axes of size 1 are repeated.
  std::vector<int64_t> query_of, key_of, value_of;
  bool has_mask = false;
  std::vector<int64_t> mask_of;                    // per head: first element of its mask
  int64_t mask_query_step = 0, mask_key_step = 0;  // elements; 0 where the mask is repeated
};

AttentionShape ReadAttention(const OpSite& site);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_ATTENTION_SHAPE_H_
