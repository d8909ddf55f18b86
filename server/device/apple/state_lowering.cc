#include "server/device/apple/state_lowering.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::device::apple {
namespace {

bool HasStates(const mil::Function& function) {
  return std::ranges::any_of(function.inputs, [&](mil::ValueId id) {
    return function.value(id).type.kind == mil::TypeKind::kState;
  });
}

// One function, rewritten from front to back.
class Lowering {
 public:
  explicit Lowering(const mil::Function& function)
      : from_(function), to_(function), same_as_(function.values.size()) {
    std::iota(same_as_.begin(), same_as_.end(), mil::ValueId{0});
    holds_ = same_as_;
    written_.assign(function.values.size(), false);
    to_.operations.clear();
    to_.folded.clear();
    for (const mil::Value& value : function.values) names_.insert(value.name);
  }

  mil::Function Take(std::vector<StateLink>& links) {
    auto folded = from_.folded.begin();
    for (size_t i = 0; i <= from_.operations.size(); ++i) {
      for (; folded != from_.folded.end() && folded->before == i; ++folded) {
        to_.folded.push_back({folded->operation, to_.operations.size()});
      }
      if (i < from_.operations.size()) Lower(from_.operations[i]);
    }
    for (const mil::ValueId id : from_.inputs) {
      if (from_.value(id).type.kind == mil::TypeKind::kState) links.push_back(Link(id));
    }
    return std::move(to_);
  }

 private:
  void Lower(const mil::Operation& operation) {
    if (operation.op == "read_state") {
      Stand(operation.results[0], holds_[operation.Single("input")], operation.where);
    } else if (operation.op == "write_state") {
      Write(operation.Single("input"), operation.Single("data"));
    } else if (operation.op == "coreml_update_state") {
      Write(operation.Single("state"), operation.Single("value"));
      Stand(operation.results[0], holds_[operation.Single("state")], operation.where);
    } else {
      Keep(operation);
    }
  }

  void Keep(mil::Operation operation) {
    for (mil::Argument& argument : operation.arguments) {
      for (mil::ValueId& id : argument.values) id = same_as_[id];
    }
    to_.operations.push_back(std::move(operation));
  }

  void Write(mil::ValueId state, mil::ValueId value) {
    holds_[state] = same_as_[value];
    written_[state] = true;
  }

  // `result` is `value` from here on. A port keeps its name, so it stays a value of its own.
  void Stand(mil::ValueId result, mil::ValueId value, mil::SourceRange where) {
    if (std::ranges::find(from_.outputs, result) == from_.outputs.end()) {
      same_as_[result] = value;
    } else {
      Copy(value, result, where);
    }
  }

  void Copy(mil::ValueId value, mil::ValueId result, mil::SourceRange where) {
    mil::Operation copy;
    copy.op = "identity";
    copy.arguments.push_back({"x", {value}});
    copy.results.push_back(result);
    copy.where = where;
    to_.operations.push_back(std::move(copy));
  }

  StateLink Link(mil::ValueId state) {
    to_.values[state].type.kind = mil::TypeKind::kTensor;
    StateLink link{.state = from_.value(state).name};
    if (!written_[state]) return link;
    link.next = absl::StrCat(link.state, "_next");
    while (!names_.insert(link.next).second) link.next += "_";
    const auto next = static_cast<mil::ValueId>(to_.values.size());
    to_.values.push_back(
        {.name = link.next, .type = to_.values[state].type, .where = from_.value(state).where});
    Copy(holds_[state], next, from_.value(state).where);
    to_.outputs.push_back(next);
    return link;
  }

  const mil::Function& from_;
  mil::Function to_;
  std::vector<mil::ValueId> same_as_;  // of each value, the one that stands for it now
  std::vector<mil::ValueId> holds_;    // of each state, the value that it has now
  std::vector<bool> written_;          // of each state
  std::set<std::string, std::less<>> names_;
};

}  // namespace

StatelessProgram WithoutStates(const mil::Program& program) {
  StatelessProgram made;
  made.links.resize(program.functions.size());
  if (std::ranges::none_of(program.functions, HasStates)) return made;
  auto lowered = std::make_shared<mil::Program>();
  lowered->name = program.name;
  for (size_t i = 0; i < program.functions.size(); ++i) {
    lowered->functions.push_back(Lowering(program.functions[i]).Take(made.links[i]));
  }
  made.program = std::move(lowered);
  return made;
}

}  // namespace anex::device::apple
