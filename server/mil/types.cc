#include "server/mil/types.h"

#include "absl/strings/str_cat.h"

namespace anex::mil {

std::string TensorType::ToString() const {
  const std::string name(DTypeName(dtype));
  return shape.rank() == 0 ? name : absl::StrCat("tensor<", name, ", ", shape.ToString(), ">");
}

std::string Type::ToString() const {
  switch (kind) {
    case TypeKind::kString:
      return "string";
    case TypeKind::kState:
      return absl::StrCat("state<", tensor.ToString(), ">");
    case TypeKind::kTensor:
      break;
  }
  return tensor.ToString();
}

}  // namespace anex::mil
