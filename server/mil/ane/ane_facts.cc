#include "server/mil/ane/ane_facts.h"

#include <algorithm>

namespace anex::mil {

FunctionFacts::FunctionFacts(const Function& f, const ProgramFacts& p)
    : function(f),
      program(p),
      producers(f.values.size()),
      fixed(f.values.size()),
      constants(SummarizeConstants(f)),
      accumulators(f),
      ranges(FindRanges(f, constants, accumulators)) {
  for (size_t i = 0; i < f.values.size(); ++i) fixed[i] = f.values[i].constant != nullptr;
  for (const Operation& op : f.operations) {
    const bool folded = op.op.starts_with("constexpr_");
    for (ValueId result : op.results) {
      producers[result] = &op;
      if (folded) fixed[result] = true;
    }
  }
}

std::vector<ValueId> FunctionFacts::TensorInputs() const {
  std::vector<ValueId> inputs;
  for (ValueId id : function.inputs) {
    if (value(id).type.kind == TypeKind::kTensor) inputs.push_back(id);
  }
  return inputs;
}

std::optional<ValueId> OpSite::Id(std::string_view argument) const {
  const Argument* found = op.Find(argument);
  if (found == nullptr || found->values.size() != 1) return std::nullopt;
  return found->values[0];
}

const Shape* OpSite::ShapeOf(std::string_view argument) const {
  const std::optional<ValueId> id = Id(argument);
  return id.has_value() ? &facts.value(*id).type.tensor.shape : nullptr;
}

const Shape& OpSite::Result(size_t i) const { return facts.value(op.results[i]).type.tensor.shape; }

bool OpSite::IsFixed(std::string_view argument) const {
  const std::optional<ValueId> id = Id(argument);
  return id.has_value() && facts.fixed[*id];
}

bool OpSite::IsRuntime(std::string_view argument) const {
  const std::optional<ValueId> id = Id(argument);
  return id.has_value() && !facts.fixed[*id];
}

ValueRange OpSite::Range(std::string_view argument) const {
  const std::optional<ValueId> id = Id(argument);
  return id.has_value() ? facts.ranges[*id] : ValueRange{};
}

const Operation* OpSite::Producer(std::string_view argument) const {
  const std::optional<ValueId> id = Id(argument);
  return id.has_value() ? facts.producers[*id] : nullptr;
}

std::vector<int64_t> OpSite::Ints(std::string_view argument) const {
  const std::optional<ValueId> id = Id(argument);
  if (!id.has_value() || facts.value(*id).constant == nullptr) return {};
  if (facts.value(*id).constant->made_up()) return {};
  return facts.value(*id).constant->AsInts().value_or(std::vector<int64_t>());
}

std::vector<ValueId> OpSite::RuntimeOperands() const {
  std::vector<ValueId> operands;
  for (const Argument& argument : op.arguments) {
    for (ValueId id : argument.values) {
      if (!facts.fixed[id]) operands.push_back(id);
    }
  }
  std::ranges::sort(operands);
  operands.erase(std::unique(operands.begin(), operands.end()), operands.end());
  return operands;
}

uint64_t BytesOf(const TensorType& type) {
  return static_cast<uint64_t>(type.shape.ElementCount()) * ElementSize(type.dtype);
}

int64_t LastDim(const Shape& shape) { return shape.rank() == 0 ? 1 : shape[shape.rank() - 1]; }

void AneReport::At(const SourceRange& where, std::string what) {
  // Rules look at operations in their order, so what is kept is what comes first in the text.
  constexpr size_t kMostKept = 256;
  ++count_;
  if (places_.size() < kMostKept) places_.push_back({where, std::move(what)});
}

void AneReport::At(const ProgramFacts& facts, Span span, std::string what) {
  const Position position = facts.text.PositionOf(span.offset);
  At(SourceRange{position.line, position.column, span.length}, std::move(what));
}

}  // namespace anex::mil
