#include <algorithm>
#include <cmath>
#include <limits>

#include "server/device/cpu/attention_shape.h"
#include "server/device/cpu/gemm.h"
#include "server/device/cpu/kernels/kernels.h"
#include "server/device/cpu/kernels/reader.h"

namespace anex::device::cpu {
namespace {

bool IsFast(DType dtype) { return dtype == DType::kFp16 || dtype == DType::kFp32; }

// Scores stay in float from the first product to the last: one operation, one rounding. A task is
// a block of queries of one head.
constexpr int64_t kQueries = 64;
// Floats whose conversion is worth waking a helper for.
constexpr int64_t kWorthSharing = 64 * 1024;

class AttentionKernel final : public Kernel {
 public:
  AttentionKernel(AttentionShape shape, const View& query, const View& key, const View& value,
                  const View& mask, DType result)
      : ops_(ActiveVectorOps()),
        shape_(std::move(shape)),
        result_(result),
        mask_dtype_(mask.dtype),
        query_(PackedView(query.dtype, Shape{query.elements()})),
        key_(PackedView(key.dtype, Shape{key.elements()})),
        value_(PackedView(value.dtype, Shape{value.elements()})),
        mask_(MaskRow(shape_, mask)),
        key_floats_(key.elements()),
        value_floats_(value.elements()),
        block_(std::min(kQueries, shape_.queries)) {}

  uint64_t scratch_bytes(int slots) const override {
    return static_cast<uint64_t>(key_floats_ + value_floats_ + SlotFloats() * slots) *
           sizeof(float);
  }

  void Run(const RunContext& run) const override {
    auto* key_scratch = reinterpret_cast<float*>(run.scratch);
    float* value_scratch = key_scratch + key_floats_;
    float* slots = value_scratch + value_floats_;
    const float *key = nullptr, *value = nullptr;
    run.pool->ParallelFor(key_floats_ < kWorthSharing ? 1 : 2, [&](int64_t which, int) {
      const bool both = key_floats_ < kWorthSharing;
      if (which == 0) key = LoadAll(key_, run.in[1], key_floats_, key_scratch);
      if (which == 1 || both) value = LoadAll(value_, run.in[2], value_floats_, value_scratch);
    });
    const int64_t blocks = (shape_.queries + block_ - 1) / block_;
    run.pool->ParallelFor(shape_.heads * blocks, [&](int64_t task, int slot) {
      RunBlock(run, task / blocks, task % blocks * block_, key, value, slots + slot * SlotFloats());
    });
  }

 private:
  static const float* LoadAll(const Reader& reader, const TensorRef& from, int64_t n, float* to) {
    return reader.Load(from.data, 0, static_cast<size_t>(n), to);
  }

  // The mask of one query: `keys` elements, repeated or not.
  static View MaskRow(const AttentionShape& shape, const View& mask) {
    if (!shape.has_mask) return PackedView(DType::kFp32, Shape{1});
    View row{mask.dtype, Shape{shape.keys}, {}, 0};
    row.strides[0] = shape.mask_key_step;
    return row;
  }
  int64_t SlotFloats() const {
    return block_ * (shape_.depth + shape_.width + shape_.keys) + shape_.keys;
  }

  void RunBlock(const RunContext& run, int64_t head, int64_t first, const float* key,
                const float* value, float* scratch) const {
    const int64_t rows = std::min(block_, shape_.queries - first);
    float* scores = scratch + block_ * shape_.depth;
    float* result = scores + block_ * shape_.keys;
    float* mask = result + block_ * shape_.width;
    const float* query = query_.Load(run.in[0].data, shape_.query_of[head] + first * shape_.depth,
                                     static_cast<size_t>(rows * shape_.depth), scratch);
    Gemm(rows, shape_.keys, shape_.depth, {query, shape_.depth},
         {key + shape_.key_of[head], shape_.depth, true}, scores, shape_.keys);
    for (int64_t row = 0; row < rows; ++row) {
      SoftmaxRow(run, head, first + row, scores + row * shape_.keys, mask);
    }
    Gemm(rows, shape_.width, shape_.keys, {scores, shape_.keys},
         {value + shape_.value_of[head], shape_.width}, result, shape_.width);
    StoreFloats(ops_, result_, result, run.out[0].data,
                (head * shape_.queries + first) * shape_.width,
                static_cast<size_t>(rows * shape_.width));
  }

  void SoftmaxRow(const RunContext& run, int64_t head, int64_t query, float* row,
                  float* mask) const {
    const auto n = static_cast<size_t>(shape_.keys);
    const float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(shape_.depth)));
    ops_.multiply_by(row, scale, n);
    if (shape_.has_mask) AddMask(run, head, query, row, mask);
    const double sum = ops_.exp_minus(row, ops_.max(row, n), row, n);
    ops_.divide_by(row, static_cast<float>(sum), n);
  }

  void AddMask(const RunContext& run, int64_t head, int64_t query, float* row, float* mask) const {
    const auto n = static_cast<size_t>(shape_.keys);
    const int64_t at = shape_.mask_of[head] + query * shape_.mask_query_step;
    const std::byte* data = run.in[3].data + at * static_cast<int64_t>(ElementSize(mask_dtype_));
    const float* read = mask_.Load(data, 0, n, mask);
    if (mask_dtype_ == DType::kBool) {
      constexpr float kExcluded = -std::numeric_limits<float>::infinity();
      for (size_t i = 0; i < n; ++i) row[i] = read[i] != 0 ? row[i] : kExcluded;
    } else {
      // A row that is shut as a whole, by a finite number, is open as a whole: where all of it is
      // -65504, floats would keep little of what distinguishes the scores.
      const float most = ops_.max(read, n);
      const float shift = std::isfinite(most) ? most : 0;
      for (size_t i = 0; i < n; ++i) row[i] += read[i] - shift;
    }
  }

  const VectorOps& ops_;
  const AttentionShape shape_;
  const DType result_, mask_dtype_;
  const Reader query_, key_, value_, mask_;
  const int64_t key_floats_, value_floats_, block_;
};

}  // namespace

MadeKernel MakeAttention(OpSite& site) {
  if (!IsFast(site.ResultType().dtype)) return nullptr;
  if (site.Has("attn_mask") && !FitsFloat(site.TypeOf("attn_mask").dtype)) return nullptr;
  const View query = site.InputView(site.Use("query")), key = site.InputView(site.Use("key"));
  const View value = site.InputView(site.Use("value"));
  View mask;
  if (site.Has("attn_mask")) mask = site.InputView(site.Use("attn_mask"));
  return std::make_unique<AttentionKernel>(ReadAttention(site), query, key, value, mask,
                                           site.ResultType().dtype);
}

}  // namespace anex::device::cpu
