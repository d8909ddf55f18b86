// Ports of a function and the checks that every device makes before it binds memory to them.
// Pure functions, any thread.
#ifndef ANEX_SERVER_DEVICE_PORT_H_
#define ANEX_SERVER_DEVICE_PORT_H_

#include <functional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/values/kernel_values.h"
#include "server/device/executable.h"
#include "server/mil/program.h"

namespace anex::device {

// What a device wants a port of this type to look like in memory.
using LayoutRule = std::function<absl::StatusOr<TensorLayout>(DType dtype, const Shape& shape)>;

// Inputs, then states, then outputs, each in declared order, with layouts by `rule`. Ports have the
// names of their values, each a name of its own: where a function returns its own input x, the
// output is x_out.
absl::StatusOr<FunctionInfo> DescribePorts(const mil::Function& function, const LayoutRule& rule);

// What Executable::Prepare promises to refuse (see executable.h). On success every index of
// `function.ports` is bound at most once, and every input and output exactly once.
absl::Status CheckBindings(const FunctionInfo& function, std::span<const BoundPort> ports);

}  // namespace anex::device

#endif  // ANEX_SERVER_DEVICE_PORT_H_
