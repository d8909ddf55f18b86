// Values of the contract about parameter sets. Values only, any thread.
#ifndef ANEX_PROTO_VALUES_PARAMETER_VALUES_H_
#define ANEX_PROTO_VALUES_PARAMETER_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/values/surface_values.h"
#include "proto/wire/handle.h"
#include "proto/wire/tensor_layout.h"

namespace anex {

enum class ParameterMode : uint8_t {
  kDouble = 0,  // two buffers; Publish flips the whole set
  kFenced = 1,  // one buffer; a write lease waits for running readers and holds off new ones
};

struct ParameterSpec {
  std::string name;  // unique in the set
  DType dtype = DType::kInvalid;
  Shape shape;
  std::vector<PortRef> fits;  // as in SurfaceSpec
};

struct ParameterSetSpec {
  ParameterMode mode = ParameterMode::kDouble;
  std::vector<ParameterSpec> parameters;
  std::string label;
};

struct ParameterInfo {
  std::string name;
  TensorLayout layout;
  // The set's buffers as surfaces of the session, for mapping. Double: buffer 0 and 1. Fenced: both
  // are the same surface. Write only to the one that a lease names.
  SurfaceId buffers[2];
};

struct ParameterSetInfo {
  ParameterSetId id;
  ParameterMode mode = ParameterMode::kDouble;
  uint64_t generation = 0;    // 0 = never published: contents are zeros
  uint32_t front_buffer = 0;  // which of ParameterInfo::buffers submissions see
  bool leased = false;
  std::string label;
  std::vector<ParameterInfo> parameters;
};

// The right to write the set's back buffer until `deadline`, then given back by the daemon.
struct WriteLease {
  LeaseId id;
  ParameterSetId set;
  uint32_t buffer = 0;      // which of ParameterInfo::buffers to write
  uint64_t generation = 0;  // Publish makes it this one
  int64_t expires_in_ns = 0;
};

// One piece of a streamed update. Pieces of one parameter come in order, without gap or overlap.
struct WeightChunk {
  std::string parameter;
  uint64_t element_offset = 0;  // row-major element index in the parameter
  DType dtype = DType::kFp16;   // of `data`; fp32 is rounded once to the parameter's dtype
  uint32_t crc32 = 0;           // zlib's CRC-32 of `data`
  std::string data;             // little endian, packed
};

}  // namespace anex

#endif  // ANEX_PROTO_VALUES_PARAMETER_VALUES_H_
