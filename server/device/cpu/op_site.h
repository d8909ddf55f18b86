// What the maker of a kernel sees of one operation: its attributes, its types, and the way to ask
// for operands. Lives for one call, on the thread that lowers.
#ifndef ANEX_SERVER_DEVICE_CPU_OP_SITE_H_
#define ANEX_SERVER_DEVICE_CPU_OP_SITE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/device/cpu/kernel.h"
#include "server/device/cpu/view.h"
#include "server/mil/program.h"

namespace anex::device::cpu {

class OpSite {
 public:
  // Where values are: the lowering knows.
  class Values {
   public:
    virtual ~Values() = default;
    virtual View ViewOf(mil::ValueId id) = 0;
    // Makes `id` contiguous (a copy, shared by all who ask) if it is not.
    virtual void MakeContiguous(mil::ValueId id) = 0;
    // The packed bytes of `id` if they are known now, else null. They live as long as the plan.
    virtual const std::byte* ConstantOf(mil::ValueId id) = 0;
  };

  OpSite(const mil::Function& function, const mil::Operation& operation, Values& values)
      : function_(function), operation_(operation), values_(values) {}

  const std::string& op() const { return operation_.op; }
  bool Has(std::string_view argument) const { return operation_.Find(argument) != nullptr; }
  std::vector<int64_t> Ints(std::string_view argument) const {
    return function_.Ints(operation_, argument);
  }
  int64_t Int(std::string_view argument) const { return function_.Int(operation_, argument); }
  bool Bool(std::string_view argument) const { return function_.Bool(operation_, argument); }
  double Double(std::string_view argument) const { return function_.Double(operation_, argument); }
  const std::string& Text(std::string_view argument) const {
    return function_.Text(operation_, argument);
  }
  // For arguments that a program made by hand may leave out.
  bool BoolOr(std::string_view argument, bool otherwise) const {
    return Has(argument) ? Bool(argument) : otherwise;
  }
  int64_t IntOr(std::string_view argument, int64_t otherwise) const {
    return Has(argument) ? Int(argument) : otherwise;
  }
  double DoubleOr(std::string_view argument, double otherwise) const {
    return Has(argument) ? Double(argument) : otherwise;
  }
  // The axes counted from 0; all of them if the argument is missing.
  std::vector<int> Axes(std::string_view argument, int rank) const;

  const mil::TensorType& TypeOf(std::string_view argument) const {
    return function_.value(operation_.Single(argument)).type.tensor;
  }
  size_t CountOf(std::string_view argument) const;  // of a variadic argument
  size_t result_count() const { return operation_.results.size(); }
  const mil::TensorType& ResultType(size_t i = 0) const {
    return function_.value(operation_.results[i]).type.tensor;
  }
  bool IsConstant(std::string_view argument) const {
    return values_.ConstantOf(operation_.Single(argument)) != nullptr;
  }
  // Null if not known at compile time.
  const std::byte* ConstantOf(std::string_view argument) const {
    return values_.ConstantOf(operation_.Single(argument));
  }

  // Adds an operand; the kernel finds it at the returned place of RunContext::in.
  // Contiguous:
  size_t Use(std::string_view argument, size_t i = 0);
  // However it lies; look at `View` for how:
  size_t UseAsItLies(std::string_view argument);
  const View& InputView(size_t operand) const { return views_[operand]; }
  View ViewOf(std::string_view argument) const {
    return values_.ViewOf(operation_.Single(argument));
  }

  // The operands asked for, in order.
  const std::vector<mil::ValueId>& inputs() const { return inputs_; }
  const std::vector<View>& input_views() const { return views_; }

  // UNIMPLEMENTED, naming the operation and its line.
  absl::Status Unsupported(std::string_view why) const;

 private:
  size_t Add(mil::ValueId id);

  const mil::Function& function_;
  const mil::Operation& operation_;
  Values& values_;
  std::vector<mil::ValueId> inputs_;
  std::vector<View> views_;
};

using MadeKernel = absl::StatusOr<std::unique_ptr<Kernel>>;
using KernelMaker = MadeKernel (*)(OpSite& site);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_OP_SITE_H_
