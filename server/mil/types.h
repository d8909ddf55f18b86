// Types of MIL values. Most values are tensors (a scalar is a tensor of rank 0); strings exist only
// as constants (dtype names, pad types, modes). Values only, any thread.
#ifndef ANEX_SERVER_MIL_TYPES_H_
#define ANEX_SERVER_MIL_TYPES_H_

#include <string>

#include "proto/wire/tensor_layout.h"

namespace anex::mil {

struct TensorType {
  DType dtype = DType::kInvalid;
  Shape shape;
  friend bool operator==(const TensorType&, const TensorType&) = default;
  std::string ToString() const;  // "tensor<fp16, [1, 64, 1, 32]>", scalars "fp16"
};

enum class TypeKind : uint8_t {
  kTensor = 0,
  kString = 1,
  kState = 2,  // a function parameter state<tensor<...>>; `tensor` is its content
};

struct Type {
  TypeKind kind = TypeKind::kTensor;
  TensorType tensor;  // of kTensor and kState
  friend bool operator==(const Type&, const Type&) = default;
  std::string ToString() const;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_TYPES_H_
