// What the engine says of a loaded program: its functions, their tensors, and where the elements of
// each lie in a surface. Pure values, any thread; read_geometry.mm fills them from the dictionaries
// of the framework.
//
// A tensor of the engine has five dimensions, in MIL's order: batch, channel, depth, height, width.
// Widths are contiguous; the other four have a stride.
#ifndef ANEX_SERVER_DEVICE_APPLE_MODEL_GEOMETRY_H_
#define ANEX_SERVER_DEVICE_APPLE_MODEL_GEOMETRY_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/values/kernel_values.h"
#include "proto/wire/tensor_layout.h"

namespace anex::device::apple {

inline constexpr int kLiveRank = 5;

struct LiveTensor {
  std::string name;  // as in MIL: without the "@output" that the framework puts behind some
  std::string type;  // "Float16", ...
  std::array<int64_t, kLiveRank> dims{1, 1, 1, 1, 1};
  std::array<int64_t, kLiveRank> strides{};  // bytes; 0 = not said
  // Which of the program's symbols it is: what requests name it by.
  uint32_t symbol = 0;
};

struct LiveFunction {
  std::string name;        // of the MIL function; "" if the framework does not say
  uint32_t procedure = 0;  // what requests name it by
  std::vector<LiveTensor> inputs, outputs;
};

struct ModelGeometry {
  std::vector<LiveFunction> functions;
};

// The element type that the framework calls so; kInvalid if unknown.
DType DTypeOfLive(std::string_view type);

// Where the elements of a MIL tensor of `dtype` and `shape` lie, if the engine holds it as `live`:
// its dimensions are those of `live` in their order once ones are dropped. FAILED_PRECONDITION
// saying how the two differ otherwise.
absl::StatusOr<TensorLayout> LayoutOf(const LiveTensor& live, DType dtype, const Shape& shape);

// The function of `geometry` that is MIL's `name`, which is number `index` of `count`. NOT_FOUND if
// there is none.
absl::StatusOr<const LiveFunction*> FindFunction(const ModelGeometry& geometry,
                                                 std::string_view name, size_t index, size_t count);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_MODEL_GEOMETRY_H_
