// Values of the contract about surfaces and their sharing. Values only, any thread.
#ifndef ANEX_PROTO_VALUES_SURFACE_VALUES_H_
#define ANEX_PROTO_VALUES_SURFACE_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/wire/handle.h"
#include "proto/wire/tensor_layout.h"

namespace anex {

enum class Access : uint8_t { kReadOnly = 0, kReadWrite = 1 };

// One port of one kernel's function.
struct PortRef {
  KernelId kernel;
  std::string function;  // "" = the only function
  std::string port;
};

// What a new surface must hold: either dtype + shape (the device's layout for them), or every port
// of `fits`, all of which must accept one layout. Giving both adds the check that they agree.
struct SurfaceSpec {
  DType dtype = DType::kInvalid;
  Shape shape;
  std::vector<PortRef> fits;
  std::string label;  // shown in listings; at most 64 bytes, may be empty
};

enum class SurfaceOrigin : uint8_t { kCreated = 0, kImported = 1, kGranted = 2, kParameter = 3 };

struct SurfaceInfo {
  SurfaceId id;
  TensorLayout layout;
  Access access = Access::kReadWrite;
  SurfaceOrigin origin = SurfaceOrigin::kCreated;
  std::string label;
  uint32_t pins = 0;    // invocations, chains and parameter sets that hold it
  uint32_t grants = 0;  // other sessions that hold it
};

// A rectangular part of a tensor in elements: per axis a start and a size. Empty = all of it.
struct Region {
  std::vector<int64_t> begin, size;
};

}  // namespace anex

#endif  // ANEX_PROTO_VALUES_SURFACE_VALUES_H_
