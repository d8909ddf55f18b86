// The checked program: everything that a device sees of MIL. Immutable once built, any thread.
//
// Invariants (established by the checker, relied on by devices):
//  * every ValueId of an operation is defined before it is used; operations are in execution order;
//  * every optional argument that has a default is present, as a constant: a device never fills in
//    defaults. Arguments that may truly be missing (conv's bias, attention's attn_mask, ...) are
//    documented in op_catalog.h;
//  * arguments that must be constant (perm, axes, strides, dtype, ...) are; negative axes are left
//    as written; types and shapes of all results have been inferred and agree with the declared
//    ones;
//  * `const` operations are gone: their results are constants. So are those of folded operations
//    (fold.h), which stand apart: a device has no need of them;
//  * where weights were not sent, operations that cannot be understood without them are missing:
//    such a program was checked, and is not for devices.
#ifndef ANEX_SERVER_MIL_PROGRAM_H_
#define ANEX_SERVER_MIL_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "server/mil/types.h"
#include "server/mil/value.h"

namespace anex::mil {

using ValueId = uint32_t;  // index into Function::values

// Where something stands in the source; 1-based, 0 = made by the checker.
struct SourceRange {
  uint32_t line = 0, column = 0, length = 0;
};

struct Value {
  std::string name;  // SSA name as written; "" for inline immediates and filled-in defaults
  Type type;
  std::shared_ptr<const Constant> constant;  // null unless known at compile time
  SourceRange where;
};

// Few enough to need no memory of their own.
using ValueIds = absl::InlinedVector<ValueId, 4>;

struct Argument {
  std::string name;  // "x", "values"
  ValueIds values;   // one, or several for a variadic argument such as concat's values
};

struct Operation {
  std::string op;  // "matmul"
  std::vector<Argument> arguments;
  ValueIds results;
  SourceRange where;

  const Argument* Find(std::string_view name) const;  // null if absent
  // REQUIRES: the argument is there and single.
  ValueId Single(std::string_view name) const;
};

// An operation whose results were known when the program was checked. For those who look at what
// was written (the printer, rules on the text); `before` is the operation that it stood before, by
// its place in Function::operations.
struct FoldedOperation {
  Operation operation;
  size_t before = 0;
};

struct Function {
  std::string name;
  std::string opset;  // "ios18"
  std::vector<Value> values;
  std::vector<ValueId> inputs;   // parameters in declared order; states among them have kState
  std::vector<ValueId> outputs;  // in the order of "-> (...)"
  std::vector<Operation> operations;
  std::vector<FoldedOperation> folded;  // in the order of the text

  // All operations, folded ones too, in the order of the text.
  std::vector<const Operation*> Written() const;
  const Value& value(ValueId id) const { return values[id]; }
  // Constant arguments of `operation`. REQUIRES: present and constant (the checker saw to it).
  std::vector<int64_t> Ints(const Operation& operation, std::string_view argument) const;
  int64_t Int(const Operation& operation, std::string_view argument) const;
  bool Bool(const Operation& operation, std::string_view argument) const;
  double Double(const Operation& operation, std::string_view argument) const;
  const std::string& Text(const Operation& operation, std::string_view argument) const;
};

struct Program {
  std::string name;  // ProgramSource::name
  std::vector<Function> functions;

  const Function* Find(std::string_view function) const;  // "" = the only one; null if none fits
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_PROGRAM_H_
