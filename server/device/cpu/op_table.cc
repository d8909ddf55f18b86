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
    {"conv_transpose", reference::MakeConvTranspose, MakeConvTranspose},
    {"max_pool", reference::MakePool, MakePool},
    {"avg_pool", reference::MakePool, MakePool},
    {"l2_pool", reference::MakePool, MakePool},
    {"scaled_dot_product_attention", reference::MakeAttention, MakeAttention},
    {"einsum", reference::MakeEinsum, MakeEinsum},
    {"depth_to_space", reference::MakeDepthToSpace, MakeDepthToSpace},
    {"pixel_shuffle", reference::MakeDepthToSpace, MakeDepthToSpace},
    {"space_to_depth", reference::MakeSpaceToDepth, MakeSpaceToDepth},
    {"pixel_unshuffle", reference::MakeSpaceToDepth, MakeSpaceToDepth},
    {"space_to_batch", reference::MakeSpaceToBatch},
    {"batch_to_space", reference::MakeBatchToSpace},
    {"crop", reference::MakeCrop},
    {"upsample_nearest_neighbor", reference::MakeResize, MakeResize},
    {"upsample_bilinear", reference::MakeResize, MakeResize},
    {"resize_nearest_neighbor", reference::MakeResize, MakeResize},
    {"resize_bilinear", reference::MakeResize, MakeResize},
    {"resize", reference::MakeResize, MakeResize},
    {"crop_resize", reference::MakeCropResize},
    {"resample", reference::MakeResample},
    {"affine", reference::MakeAffine},
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
    {"reduce_argmax", reference::MakeArgReduce, MakeArgReduce},
    {"reduce_argmin", reference::MakeArgReduce, MakeArgReduce},
    {"softmax", reference::MakeSoftmax, MakeSoftmax},
    {"layer_norm", reference::MakeLayerNorm, MakeLayerNorm},
    {"batch_norm", reference::MakeBatchNorm, MakeChannelNorm},
    {"instance_norm", reference::MakeInstanceNorm, MakeChannelNorm},
    {"l2_norm", reference::MakeL2Norm, MakeL2Norm},
    {"local_response_norm", reference::MakeLocalResponseNorm},
    {"reshape", reference::MakeReshape},
    {"identity", reference::MakeReshape},
    {"squeeze", reference::MakeReshape},
    {"expand_dims", reference::MakeReshape},
    {"flatten2d", reference::MakeReshape},
    {"reshape_like", reference::MakeReshape},
    {"transpose", reference::MakeTranspose},
    {"slice_by_size", reference::MakeSlice, MakeSlice},
    {"slice_by_index", reference::MakeSlice, MakeSlice},
    {"split", reference::MakeSplit},
    {"concat", reference::MakeConcat, MakeConcat},
    {"stack", reference::MakeStack, MakeConcat},
    {"tile", reference::MakeTile, MakeTile},
    {"pad", reference::MakePad, MakePad},
    {"gather", reference::MakeGather, MakeGather},
    {"gather_along_axis", reference::MakeGatherAlongAxis},
    {"gather_nd", reference::MakeGatherNd},
    {"scatter", reference::MakeScatter},
    {"scatter_along_axis", reference::MakeScatterAlongAxis},
    {"scatter_nd", reference::MakeScatterNd},
    {"slice_update", reference::MakeSliceUpdate, MakeSliceUpdate},
    {"topk", reference::MakeTopk},
    {"argsort", reference::MakeTopk},
    {"cumsum", reference::MakeCumsum},
    {"reverse", reference::MakeReverse},
    {"reverse_sequence", reference::MakeReverseSequence},
    {"sliding_windows", reference::MakeSlidingWindows},
    {"band_part", reference::MakeBandPart},
    {"one_hot", reference::MakeOneHot},
    {"lstm", reference::MakeRecurrent, MakeRecurrent},
    {"gru", reference::MakeRecurrent, MakeRecurrent},
    {"rnn", reference::MakeRecurrent, MakeRecurrent},
    {"fill", reference::MakeFill},
    {"fill_like", reference::MakeFill},
    {"range_1d", reference::MakeFill},
    {"quantize", reference::MakeQuantize, MakeQuantize},
    {"dequantize", reference::MakeDequantize, MakeDequantize},
    {"constexpr_affine_dequantize", reference::MakeDequantize},
    {"constexpr_lut_to_dense", reference::MakeLutToDense},
    {"constexpr_sparse_to_dense", reference::MakeSparseToDense},
    {"constexpr_lut_to_sparse", reference::MakeLutToSparse},
    {"constexpr_blockwise_shift_scale", reference::MakeBlockwise},
    {"constexpr_sparse_blockwise_shift_scale", reference::MakeSparseBlockwise},
    {"constexpr_cast", reference::MakeConstexprCast},
// Every elementwise operation; gelu's three modes share one name, found at its first row.
#define ANEX_CPU_ENTRY(name, mil, operands) {mil, reference::MakeElementwise, MakeElementwise},
    ANEX_CPU_ELEMENTWISE(ANEX_CPU_ENTRY)
#undef ANEX_CPU_ENTRY
};

}  // namespace

std::span<const OpEntry> OpEntries() { return kEntries; }

bool IsStateOp(std::string_view op) {
  return op == "read_state" || op == "write_state" || op == "coreml_update_state";
}

const OpEntry* FindOpEntry(std::string_view op) {
  for (const OpEntry& entry : kEntries) {
    if (entry.op == op) return &entry;
  }
  return nullptr;
}

}  // namespace anex::device::cpu
