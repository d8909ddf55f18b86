// One operand of a product as CBLAS wants it: float matrices, one per distinct batch entry.
#ifndef ANEX_SERVER_DEVICE_CPU_KERNELS_PANEL_H_
#define ANEX_SERVER_DEVICE_CPU_KERNELS_PANEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/device/cpu/gemm.h"
#include "server/device/cpu/kernel.h"
#include "server/device/cpu/vector_ops.h"
#include "server/device/cpu/view.h"

namespace anex::device::cpu {

class Panels {
 public:
  // `view`: [batch..., rows, columns]. `constant`: its buffer if it is known, converted now.
  Panels(const View& view, const std::byte* constant);

  // Floats of scratch memory that Convert fills; 0 if the operand is float already, or constant.
  int64_t scratch_floats() const { return converts_ ? floats() : 0; }
  uint64_t resident_bytes() const { return prepared_.size() * sizeof(float); }

  // Conversion is cut into this many pieces, to be shared out.
  int64_t pieces() const { return converts_ ? count_ * pieces_per_panel_ : 0; }
  void Convert(int64_t piece, const TensorRef& operand, float* scratch) const;

  // Rows [row, ...) and columns [column, ...) of the matrix of batch entry `batch`.
  GemmOperand At(int64_t batch, int64_t row, int64_t column, const TensorRef& operand,
                 const float* scratch) const;

 private:
  // A batch axis. Entries along one that is repeated (stride 0) share their panel.
  struct BatchAxis {
    int64_t size = 1, stride = 0;
    int64_t panel_step = 0;  // from one entry's panel to the next one's; 0 = repeated
  };

  int64_t floats() const { return count_ * stored_rows_ * stored_columns_; }
  void SetBatch(const View& view);
  int64_t PanelOf(int64_t batch) const;
  int64_t StartOf(int64_t panel) const;  // its first element in the operand
  void ConvertRows(int64_t panel, int64_t begin, int64_t end, const std::byte* data,
                   float* to) const;

  const VectorOps& ops_;
  DType dtype_;
  bool transposed_ = false;  // stored rows are the matrix's columns
  bool converts_ = false;    // at each run
  int64_t stored_rows_ = 0, stored_columns_ = 0, row_stride_ = 0;
  int64_t count_ = 0, pieces_per_panel_ = 1, rows_per_piece_ = 0;
  // Computed from strides, never listed: a program of a few bytes may have any number of entries.
  std::array<BatchAxis, kMaxRank> batch_;
  int batch_rank_ = 0;
  std::vector<float> prepared_;
};

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_KERNELS_PANEL_H_
