// What a rule is shown: the program, what is known of its text, and for each function where values
// come from and how large they can be. Built once per check and function; read only, one thread.
#ifndef ANEX_SERVER_MIL_ANE_ANE_FACTS_H_
#define ANEX_SERVER_MIL_ANE_ANE_FACTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/mil/ane/accumulator_range.h"
#include "server/mil/ane/ane_target.h"
#include "server/mil/ane/text_facts.h"
#include "server/mil/ane/value_range.h"
#include "server/mil/program.h"

namespace anex::mil {

struct ProgramFacts {
  const Program& program;
  const SourceText& text;
  const TextFacts& text_facts;
  const AneTarget& target;
};

struct FunctionFacts {
  FunctionFacts(const Function& f, const ProgramFacts& p);

  const Function& function;
  const ProgramFacts& program;
  std::vector<const Operation*> producers;  // of each value; null for inputs and constants
  std::vector<bool> fixed;                  // constants, and what constexpr_* make of them
  std::vector<ConstantSummary> constants;   // of each value that is one
  mutable AccumulatorRanges accumulators;   // remembers what it worked out
  std::vector<ValueRange> ranges;

  const Value& value(ValueId id) const { return function.values[id]; }
  // Inputs that are tensors, in declared order (states are not among them).
  std::vector<ValueId> TensorInputs() const;
};

// One operation, with short ways to its arguments. An argument that is absent or variadic reads as
// nothing.
struct OpSite {
  const FunctionFacts& facts;
  const Operation& op;

  const Function& function() const { return facts.function; }
  std::optional<ValueId> Id(std::string_view argument) const;
  const Shape* ShapeOf(std::string_view argument) const;  // null if there is none
  const Shape& Result(size_t i = 0) const;
  DType ResultType() const { return facts.value(op.results[0]).type.tensor.dtype; }
  bool IsFixed(std::string_view argument) const;    // there and known at compile time
  bool IsRuntime(std::string_view argument) const;  // there and not
  ValueRange Range(std::string_view argument) const;
  const Operation* Producer(std::string_view argument) const;  // null: input, constant or absent
  // The integers of a constant argument; empty if it is none.
  std::vector<int64_t> Ints(std::string_view argument) const;
  // All runtime operands, variadic ones too, each once.
  std::vector<ValueId> RuntimeOperands() const;
};

// Bytes of a tensor's elements, packed.
uint64_t BytesOf(const TensorType& type);
int64_t LastDim(const Shape& shape);  // 1 for a scalar

// Where rules put what they find: a place, and a sentence about it without its full stop. Counts
// all, keeps a bounded number.
class AneReport {
 public:
  struct Place {
    SourceRange where;
    std::string what;
  };
  void At(const SourceRange& where, std::string what);
  void At(const OpSite& site, std::string what) { At(site.op.where, std::move(what)); }
  void At(const ProgramFacts& facts, Span span, std::string what);
  std::vector<Place>& places() { return places_; }
  size_t count() const { return count_; }

 private:
  size_t count_ = 0;
  std::vector<Place> places_;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_ANE_ANE_FACTS_H_
