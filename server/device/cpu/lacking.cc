#include "server/device/cpu/lacking.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/device/cpu/op_site.h"
#include "server/device/cpu/op_table.h"

namespace anex::device::cpu {
namespace {

// Values as the makers of kernels see them, in no memory: packed, known if they stand in the text.
class DryValues final : public OpSite::Values {
 public:
  explicit DryValues(const mil::Function& function)
      : function_(function), computed_(function.values.size(), false) {}

  View ViewOf(mil::ValueId id) override {
    const mil::TensorType& type = function_.value(id).type.tensor;
    return PackedView(type.dtype, type.shape);
  }
  void MakeContiguous(mil::ValueId) override {}
  const std::byte* ConstantOf(mil::ValueId id) override {
    const auto& constant = function_.value(id).constant;
    return constant == nullptr ? nullptr : constant->bytes().data();
  }

  // False if an operand is computed from constants: its maker may need bytes that nobody has yet.
  bool KnowsOperandsOf(const mil::Operation& operation) const {
    return std::ranges::none_of(operation.arguments, [this](const mil::Argument& argument) {
      return std::ranges::any_of(argument.values,
                                 [this](mil::ValueId id) { return computed_[id]; });
    });
  }

  // Lowering runs an operation on constants at once, and its results are constants then.
  void Pass(const mil::Operation& operation) {
    for (const mil::Argument& argument : operation.arguments) {
      for (const mil::ValueId id : argument.values) {
        if (function_.value(id).constant == nullptr && !computed_[id]) return;
      }
    }
    for (const mil::ValueId id : operation.results) computed_[id] = true;
  }

 private:
  const mil::Function& function_;
  std::vector<bool> computed_;  // by ValueId
};

}  // namespace

std::vector<Lacking> FindLackingIn(const mil::Function& function) {
  std::vector<Lacking> lacking;
  DryValues values(function);
  for (const mil::Operation& operation : function.operations) {
    if (IsStateOp(operation.op)) continue;
    const OpEntry* entry = FindOpEntry(operation.op);
    if (entry == nullptr) {
      lacking.push_back(
          {operation.where, absl::StrCat("the cpu device has no operation `", operation.op, "`")});
    } else if (values.KnowsOperandsOf(operation)) {
      OpSite site(function, operation, values);
      const MadeKernel made = entry->reference(site);
      if (absl::IsUnimplemented(made.status())) {
        lacking.push_back({operation.where, std::string(made.status().message())});
      }
    }
    values.Pass(operation);
  }
  return lacking;
}

}  // namespace anex::device::cpu
