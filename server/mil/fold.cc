#include "server/mil/fold.h"

#include <string_view>

#include "server/mil/fold_arithmetic.h"
#include "server/mil/fold_moves.h"

namespace anex::mil {
namespace {

// Larger results never are shapes.
constexpr int64_t kMostElements = 4096;
// Operations this small cost no more than their own text did.
constexpr int64_t kTiny = 64;

bool IsKnown(const Function& function, const Argument& argument) {
  for (const ValueId id : argument.values) {
    if (function.value(id).constant == nullptr) return false;
  }
  return true;
}

bool IsMadeUp(const Function& function, const Argument& argument) {
  for (const ValueId id : argument.values) {
    if (function.value(id).constant->made_up()) return true;
  }
  return false;
}

// Zeros of the results' types for what made-up operands come to.
Folded StandIns(const Function& function, const Operation& operation) {
  Folded made;
  for (const ValueId id : operation.results) {
    const TensorType& type = function.value(id).type.tensor;
    const auto count = static_cast<size_t>(type.shape.ElementCount());
    auto bytes = std::make_shared<std::vector<std::byte>>(count * ElementSize(type.dtype));
    const std::span<const std::byte> view(*bytes);
    made.push_back(std::make_shared<Constant>(type, view, std::move(bytes), 0, true));
  }
  return made;
}

// shape and fill_like look at a type only.
bool TypeIsEnough(std::string_view op, const Argument& argument) {
  return (op == "shape" && argument.name == "x") ||
         (op == "fill_like" && argument.name == "ref_tensor") ||
         (op == "reshape_like" && argument.name == "ref_tensors");
}

int64_t Elements(const Function& function, std::span<const ValueId> values) {
  int64_t count = 0;
  for (const ValueId id : values) count += function.value(id).type.tensor.shape.ElementCount();
  return count;
}

}  // namespace

bool Folder::Spend(int64_t elements) {
  if (elements <= kTiny) return true;
  if (elements > budget_) return false;
  budget_ -= elements;
  return true;
}

Folded Folder::Fold(const Function& function, const Operation& operation) {
  bool made_up = false;
  for (const Argument& argument : operation.arguments) {
    if (TypeIsEnough(operation.op, argument)) continue;
    if (!IsKnown(function, argument)) return {};
    made_up = made_up || IsMadeUp(function, argument);
  }
  const int64_t made = Elements(function, operation.results);
  if (made == 0 || made > kMostElements) return {};
  if (made_up && (IsFoldableMove(operation.op) || IsFoldableArithmetic(operation.op))) {
    return Spend(made) ? StandIns(function, operation) : Folded();
  }
  if (IsFoldableMove(operation.op)) {
    // Reads no more than it writes, and its lists.
    const Argument* indices = operation.Find("indices");
    const int64_t read = indices == nullptr ? 0 : Elements(function, indices->values);
    return Spend(made + read) ? FoldMove(function, operation) : Folded();
  }
  if (!IsFoldableArithmetic(operation.op)) return {};
  int64_t read = 0;
  for (const Argument& argument : operation.arguments) {
    const int64_t elements = Elements(function, argument.values);
    if (elements > kMostElements) return {};
    read += elements;
  }
  return Spend(made + read) ? FoldArithmetic(function, operation) : Folded();
}

}  // namespace anex::mil
