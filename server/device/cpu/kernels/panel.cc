#include "server/device/cpu/kernels/panel.h"

#include <algorithm>

namespace anex::device::cpu {
namespace {

// Elements that one thread converts at a time: a few microseconds.
constexpr int64_t kPieceElements = 32 * 1024;

}  // namespace

Panels::Panels(const View& view, const std::byte* constant)
    : ops_(ActiveVectorOps()), dtype_(view.dtype) {
  const int rank = view.shape.rank();
  const int64_t rows = view.shape[rank - 2], columns = view.shape[rank - 1];
  const int64_t row_stride = view.strides[rank - 2], column_stride = view.strides[rank - 1];
  const bool by_rows = columns == 1 ? row_stride != 1 || rows == 1 : column_stride == 1;
  transposed_ = !by_rows;
  stored_rows_ = transposed_ ? columns : rows;
  stored_columns_ = transposed_ ? rows : columns;
  row_stride_ = transposed_ ? column_stride : row_stride;
  if (stored_rows_ == 1) row_stride_ = stored_columns_;
  SetBatch(view);
  rows_per_piece_ = std::max<int64_t>(1, kPieceElements / stored_columns_);
  pieces_per_panel_ = (stored_rows_ + rows_per_piece_ - 1) / rows_per_piece_;
  if (dtype_ == DType::kFp32) return;
  converts_ = constant == nullptr;
  if (converts_) return;
  prepared_.resize(static_cast<size_t>(floats()));
  const std::byte* data = constant + view.offset * static_cast<int64_t>(sizeof(uint16_t));
  for (int64_t panel = 0; panel < count_; ++panel) {
    ConvertRows(panel, 0, stored_rows_, data, prepared_.data());
  }
}

void Panels::SetBatch(const View& view) {
  batch_rank_ = view.shape.rank() - 2;
  count_ = 1;
  for (int axis = batch_rank_ - 1; axis >= 0; --axis) {
    const int64_t size = view.shape[axis], stride = view.strides[axis];
    const bool repeated = stride == 0 || size == 1;
    batch_[axis] = {size, stride, repeated ? 0 : count_};
    if (!repeated) count_ *= size;
  }
}

int64_t Panels::PanelOf(int64_t batch) const {
  int64_t panel = 0;
  for (int axis = batch_rank_ - 1; axis >= 0; --axis) {
    panel += batch % batch_[axis].size * batch_[axis].panel_step;
    batch /= batch_[axis].size;
  }
  return panel;
}

int64_t Panels::StartOf(int64_t panel) const {
  int64_t start = 0;
  for (int axis = 0; axis < batch_rank_; ++axis) {
    const BatchAxis& each = batch_[axis];
    if (each.panel_step > 0) start += panel / each.panel_step % each.size * each.stride;
  }
  return start;
}

void Panels::Convert(int64_t piece, const TensorRef& operand, float* scratch) const {
  const int64_t begin = piece % pieces_per_panel_ * rows_per_piece_;
  ConvertRows(piece / pieces_per_panel_, begin, std::min(stored_rows_, begin + rows_per_piece_),
              operand.data, scratch);
}

void Panels::ConvertRows(int64_t panel, int64_t begin, int64_t end, const std::byte* data,
                         float* to) const {
  const auto* from = reinterpret_cast<const uint16_t*>(data) + StartOf(panel);
  to += panel * stored_rows_ * stored_columns_;
  const auto width = static_cast<size_t>(stored_columns_);
  if (row_stride_ == stored_columns_) {
    ops_.half_to_float(from + begin * row_stride_, to + begin * stored_columns_,
                       static_cast<size_t>(end - begin) * width);
    return;
  }
  for (int64_t row = begin; row < end; ++row) {
    ops_.half_to_float(from + row * row_stride_, to + row * stored_columns_, width);
  }
}

GemmOperand Panels::At(int64_t batch, int64_t row, int64_t column, const TensorRef& operand,
                       const float* scratch) const {
  const int64_t panel = PanelOf(batch);
  if (transposed_) std::swap(row, column);
  if (dtype_ == DType::kFp32) {
    const float* data = operand.as<const float>() + StartOf(panel);
    return {data + row * row_stride_ + column, row_stride_, transposed_};
  }
  const float* data = converts_ ? scratch : prepared_.data();
  return {data + (panel * stored_rows_ + row) * stored_columns_ + column, stored_columns_,
          transposed_};
}

}  // namespace anex::device::cpu
