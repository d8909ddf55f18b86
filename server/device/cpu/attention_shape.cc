#include "server/device/cpu/attention_shape.h"

#include "server/device/cpu/view.h"

namespace anex::device::cpu {
namespace {

void ReadMask(const Shape& mask, const Shape& out, AttentionShape& shape) {
  const int rank = mask.rank();
  shape.has_mask = true;
  const Strides packed = PackedStrides(mask);
  shape.mask_key_step = rank < 1 || mask[rank - 1] == 1 ? 0 : packed[rank - 1];
  shape.mask_query_step = rank < 2 || mask[rank - 2] == 1 ? 0 : packed[rank - 2];
  shape.mask_of = MatrixStarts(mask, out);
}

}  // namespace

MatrixStarts::MatrixStarts(const Shape& operand, const Shape& out) : rank_(out.rank() - 2) {
  const int missing = out.rank() - operand.rank();
  const Strides packed = PackedStrides(operand);
  for (int axis = 0; axis < rank_; ++axis) {
    const bool repeated = axis < missing || operand[axis - missing] == 1;
    axes_[axis] = {out[axis], repeated ? 0 : packed[axis - missing]};
  }
}

int64_t MatrixStarts::operator[](int64_t head) const {
  int64_t start = 0;
  for (int axis = rank_ - 1; axis >= 0; --axis) {
    start += head % axes_[axis].size * axes_[axis].step;
    head /= axes_[axis].size;
  }
  return start;
}

AttentionShape ReadAttention(const OpSite& site) {
  const Shape &query = site.TypeOf("query").shape, &key = site.TypeOf("key").shape;
  const Shape &value = site.TypeOf("value").shape, &out = site.ResultType().shape;
  AttentionShape shape;
  shape.queries = query[query.rank() - 2];
  shape.depth = query[query.rank() - 1];
  shape.keys = key[key.rank() - 2];
  shape.width = value[value.rank() - 1];
  shape.query_of = MatrixStarts(query, out);
  shape.key_of = MatrixStarts(key, out);
  shape.value_of = MatrixStarts(value, out);
  for (int axis = 0; axis < out.rank() - 2; ++axis) shape.heads *= out[axis];
  if (site.Has("attn_mask")) ReadMask(site.TypeOf("attn_mask").shape, out, shape);
  return shape;
}

}  // namespace anex::device::cpu
