#include "server/device/cpu/attention_shape.h"

#include "server/device/cpu/view.h"

namespace anex::device::cpu {
namespace {

// Starts, in elements, of the last two axes' matrices in a packed operand repeated to `batch`.
std::vector<int64_t> MatrixStarts(const Shape& operand, const Shape& out) {
  std::vector<int64_t> dims(out.dims().begin(), out.dims().end() - 2);
  const int batch_rank = static_cast<int>(dims.size());
  const int missing = out.rank() - operand.rank();
  const Strides packed = PackedStrides(operand);
  std::vector<int64_t> starts(1, 0);
  for (int axis = 0; axis < batch_rank; ++axis) {
    const bool repeated = axis < missing || operand[axis - missing] == 1;
    const int64_t step = repeated ? 0 : packed[axis - missing];
    std::vector<int64_t> next;
    for (const int64_t start : starts) {
      for (int64_t i = 0; i < dims[axis]; ++i) next.push_back(start + i * step);
    }
    starts = std::move(next);
  }
  return starts;
}

void ReadMask(const Shape& mask, const Shape& out, AttentionShape& shape) {
  const int rank = mask.rank();
  shape.has_mask = true;
  const Strides packed = PackedStrides(mask);
  shape.mask_key_step = rank < 1 || mask[rank - 1] == 1 ? 0 : packed[rank - 1];
  shape.mask_query_step = rank < 2 || mask[rank - 2] == 1 ? 0 : packed[rank - 2];
  shape.mask_of = MatrixStarts(mask, out);
}

}  // namespace

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
  shape.heads = static_cast<int64_t>(shape.query_of.size());
  if (site.Has("attn_mask")) ReadMask(site.TypeOf("attn_mask").shape, out, shape);
  return shape;
}

}  // namespace anex::device::cpu
