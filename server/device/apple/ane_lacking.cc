#include "server/device/apple/ane_lacking.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace anex::device::apple {
namespace {

constexpr int kMostDimensions = 5;

// Why the engine has no such port, or "". A state is a port like any other: state_lowering.h.
std::string WhyNot(const mil::Value& port) {
  const mil::TensorType& type = port.type.tensor;
  switch (type.dtype) {
    case DType::kFp64:
    case DType::kBf16:
    case DType::kInt64:
    case DType::kUint64:
      return absl::StrCat("the ane device has no ports of ", std::string(DTypeName(type.dtype)),
                          ", and '", port.name, "' is one; cast it to fp16 or int32");
    default:
      break;
  }
  if (type.shape.rank() > kMostDimensions) {
    return absl::StrCat("the ane device has ports of up to ", kMostDimensions, " dimensions, and '",
                        port.name, "' has ", type.shape.rank());
  }
  return "";
}

}  // namespace

std::vector<Lacking> FindLackingPorts(const mil::Program& program) {
  std::vector<Lacking> lacking;
  for (const mil::Function& function : program.functions) {
    for (const auto* ports : {&function.inputs, &function.outputs}) {
      for (const mil::ValueId id : *ports) {
        const mil::Value& port = function.value(id);
        if (std::string why = WhyNot(port); !why.empty()) lacking.push_back({port.where, why});
      }
    }
  }
  return lacking;
}

}  // namespace anex::device::apple
