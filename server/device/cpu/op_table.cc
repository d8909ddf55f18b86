#include "server/device/cpu/op_table.h"

#include "server/device/cpu/elementwise_op.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/reference/reference.h"

namespace anex::device::cpu {
namespace {

constexpr OpEntry kEntries[] = {
    {"matmul", reference::MakeMatmul, MakeMatmul},
    {"linear", reference::MakeLinear, MakeLinear},
    {"conv", reference::MakeConv, MakeConv},
    {"scaled_dot_product_attention", reference::MakeAttention, MakeAttention},
    {"reduce_sum", reference::MakeReduce, MakeReduce},
    {"reduce_mean", reference::MakeReduce, MakeReduce},
    {"reduce_max", reference::MakeReduce, MakeReduce},
    {"reduce_min", reference::MakeReduce, MakeReduce},
    {"reduce_l1_norm", reference::MakeReduce, MakeReduce},
    {"reduce_l2_norm", reference::MakeReduce, MakeReduce},
    {"reduce_sum_square", reference::MakeReduce, MakeReduce},
    {"reduce_prod", reference::MakeReduce},
    {"reduce_log_sum", reference::MakeReduce},
    {"reduce_log_sum_exp", reference::MakeReduce},
    {"reduce_argmax", reference::MakeArgReduce},
    {"reduce_argmin", reference::MakeArgReduce},
    {"softmax", reference::MakeSoftmax, MakeSoftmax},
    {"layer_norm", reference::MakeLayerNorm, MakeLayerNorm},
    {"reshape", reference::MakeReshape},
    {"identity", reference::MakeReshape},
    {"squeeze", reference::MakeReshape},
    {"expand_dims", reference::MakeReshape},
    {"transpose", reference::MakeTranspose},
    {"slice_by_size", reference::MakeSlice},
    {"slice_by_index", reference::MakeSlice},
    {"split", reference::MakeSplit},
    {"concat", reference::MakeConcat, MakeConcat},
    {"stack", reference::MakeStack},
    {"tile", reference::MakeTile},
    {"pad", reference::MakePad},
    {"gather", reference::MakeGather},
    {"gather_along_axis", reference::MakeGatherAlongAxis},
    {"fill", reference::MakeFill},
    {"range_1d", reference::MakeFill},
    {"quantize", reference::MakeQuantize},
    {"dequantize", reference::MakeDequantize},
    {"constexpr_affine_dequantize", reference::MakeDequantize},
// Every elementwise operation; gelu's three modes share one name, found at its first row.
#define ANEX_CPU_ENTRY(name, mil, operands) {mil, reference::MakeElementwise, MakeElementwise},
    ANEX_CPU_ELEMENTWISE(ANEX_CPU_ENTRY)
#undef ANEX_CPU_ENTRY
};

}  // namespace

std::span<const OpEntry> OpEntries() { return kEntries; }

const OpEntry* FindOpEntry(std::string_view op) {
  for (const OpEntry& entry : kEntries) {
    if (entry.op == op) return &entry;
  }
  return nullptr;
}

}  // namespace anex::device::cpu
