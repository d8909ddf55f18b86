// What pad does, axis by axis. Shared by both modes. Pure.
#ifndef ANEX_SERVER_DEVICE_CPU_PAD_SHAPE_H_
#define ANEX_SERVER_DEVICE_CPU_PAD_SHAPE_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "server/device/cpu/kernel.h"
#include "server/device/cpu/op_site.h"

namespace anex::device::cpu {

enum class PadMode : uint8_t { kConstant = 0, kReflect = 1, kReplicate = 2 };

struct PadShape {
  PadMode mode = PadMode::kConstant;
  double value = 0;   // of kConstant, if the elements are floats,
  int64_t whole = 0;  // and if they are not
  Shape in, out;
  std::array<int64_t, kMaxRank> before{};  // elements added in front, per axis

  // Which input element stands at place `at` of the padded axis; -1: the constant.
  int64_t Source(int axis, int64_t at) const;
};

// The constant as element `i` of `out`.
void PutPadding(const PadShape& pad, const TensorRef& out, int64_t i);

absl::StatusOr<PadShape> ReadPad(const OpSite& site);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_PAD_SHAPE_H_
