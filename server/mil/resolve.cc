#include "server/mil/resolve.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/mil/flexible_shapes.h"
#include "server/mil/nearest_name.h"

namespace anex::mil {
namespace {

const ArgumentSyntax* FindAttribute(const SourceText& source,
                                    const std::vector<ArgumentSyntax>& attributes,
                                    std::string_view name) {
  for (const ArgumentSyntax& attribute : attributes) {
    if (source.Text(attribute.name) == name) return &attribute;
  }
  return nullptr;
}

// An attribute of a const that may have been meant as `val`.
const ArgumentSyntax* MistypedVal(const SourceText& source, const OperationSyntax& operation) {
  for (const auto* parts : {&operation.attributes, &operation.arguments}) {
    for (const ArgumentSyntax& part : *parts) {
      constexpr std::string_view kVal = "val";
      const std::string_view name = source.Text(part.name);
      if (name != "name" && (name == "value" || !DidYouMean(name, std::span(&kVal, 1)).empty())) {
        return &part;
      }
    }
  }
  return nullptr;
}

}  // namespace

Resolver::Resolver(const SourceText& source, const ProgramSyntax& syntax, ConstantReader& constants,
                   DiagnosticSink& sink)
    : source_(source), syntax_(syntax), constants_(constants), sink_(sink), types_(source, sink) {}

SourceRange Resolver::RangeOf(Span span) const {
  const Position position = source_.PositionOf(span.offset);
  return {position.line, position.column, span.length};
}

ResolvedFunction Resolver::Resolve(const FunctionSyntax& function) {
  resolved_ = {};
  names_.clear();
  function_ = &function;
  resolved_.function.name = std::string(source_.Text(function.name));
  resolved_.function.opset = std::string(source_.Text(function.opset));
  Reserve(function);
  ResolveParameters(function);
  for (const OperationSyntax& operation : function.operations) {
    if (sink_.full()) break;
    if (source_.Text(operation.op) == "const") {
      ResolveConst(operation);
    } else {
      ResolveOperation(operation);
    }
  }
  ResolveOutputs(function);
  return std::move(resolved_);
}

// Growing by doubling would copy and free blocks of megabytes, which is dear in the middle of many
// small ones.
void Resolver::Reserve(const FunctionSyntax& function) {
  const size_t operations = function.operations.size();
  const size_t values = function.parameters.size() + operations + operations / 4;
  resolved_.function.values.reserve(values);
  resolved_.values.reserve(values);
  names_.reserve(function.parameters.size() + operations);
}

ValueId Resolver::Define(Span name, Type type, std::shared_ptr<const Constant> constant) {
  const ValueId id = static_cast<ValueId>(resolved_.function.values.size());
  const std::string_view text = source_.Text(name);
  if (!text.empty()) {
    const auto [found, fresh] = names_.try_emplace(text, id);
    if (!fresh) {
      // Some generators declare a constant again and again; the last one counts.
      const bool both_constant =
          constant != nullptr && resolved_.function.values[found->second].constant != nullptr;
      if (!both_constant) {
        sink_
            .Error(Code::kDuplicateName, name,
                   absl::StrCat(Shown(text), " is defined a second time"),
                   "every result needs a name of its own")
            .See(resolved_.values[found->second].name, "first defined here");
        resolved_.values[found->second].defined_twice = true;
        resolved_.values[found->second].used = true;
      } else {
        found->second = id;
      }
    }
  }
  resolved_.function.values.push_back(
      {std::string(text), type, std::move(constant), RangeOf(name)});
  resolved_.values.push_back({.name = name});
  return id;
}

void Resolver::ResolveParameters(const FunctionSyntax& function) {
  const auto defaults = ReadDefaultShapes(source_, syntax_, function, sink_);
  for (const NamedType& parameter : function.parameters) ResolveParameter(parameter, defaults);
}

void Resolver::ResolveParameter(
    const NamedType& parameter,
    const std::unordered_map<std::string, std::vector<int64_t>>& defaults) {
  std::optional<DeclaredType> declared = types_.Read(parameter.type);
  const std::string name(source_.Text(parameter.name));
  const auto fixed = defaults.find(name);
  bool known = declared.has_value();
  if (known && declared->kind == TypeKind::kString) {
    sink_.Error(Code::kUnsupportedType, parameter.type.span, "an input cannot be a string");
    known = false;
  }
  if (known && !declared->IsFixed()) {
    if (fixed == defaults.end()) {
      sink_.Error(Code::kDynamicShape, parameter.type.span,
                  absl::StrCat("input ", Shown(name),
                               " has an unknown dimension (`?`) and no "
                               "default shape"),
                  "write the dimension, or give DefaultShapes in FlexibleShapeInformation");
      known = false;
    } else {
      DeclaredType chosen = *declared;
      chosen.dims = fixed->second;
      const absl::StatusOr<Shape> shape = Shape::Make(chosen.dims);
      if (!shape.ok() || !MakePackedLayout(chosen.scalar.dtype, *shape).ok() ||
          !declared->Accepts(chosen.Fixed())) {
        sink_.Error(Code::kFlexibleShape, parameter.type.span,
                    absl::StrCat("the default shape of input ", Shown(name), ", ",
                                 chosen.ToString(), ", does not fit ", declared->ToString()));
        known = false;
      } else {
        sink_.Note(Code::kDefaultShape, parameter.type.span,
                   absl::StrCat("flexible input ", Shown(name), " is fixed at its default, ",
                                chosen.ToString()));
        declared = chosen;
      }
    }
  }
  const ValueId id = Define(parameter.name, known ? declared->Fixed() : Type{}, nullptr);
  resolved_.values[id].unknown_type = !known;
  resolved_.values[id].used = true;  // inputs need no user
  resolved_.function.inputs.push_back(id);
}

void Resolver::ResolveConst(const OperationSyntax& operation) {
  const ArgumentSyntax* val = FindAttribute(source_, operation.attributes, "val");
  if (val == nullptr) val = FindAttribute(source_, operation.arguments, "val");
  if (operation.outputs.size() != 1) {
    sink_.Error(Code::kResultCount, operation.op, "a const has exactly one result");
    return AddResults(operation, true);
  }
  const NamedType& output = operation.outputs[0];
  const std::optional<DeclaredType> declared = types_.ReadOfConstant(output.type);
  std::shared_ptr<const Constant> constant;
  if (val == nullptr || val->values.size() != 1 || val->values[0].reference()) {
    const ArgumentSyntax* meant = MistypedVal(source_, operation);
    sink_.Error(Code::kConstWithoutValue, meant == nullptr ? operation.op : meant->name,
                "a const without `val`",
                meant == nullptr ? "write const()[val = ...]" : "did you mean `val`?");
  } else if (declared.has_value()) {
    const ValueSyntax& value = *val->values[0].value;
    std::optional<DeclaredType> type = declared;
    if (value.typed) type = types_.ReadOfConstant(value.type);
    if (type.has_value() && !type->IsFixed()) {
      sink_.Error(Code::kDynamicShape, value.type.span,
                  "a constant cannot have an unknown dimension");
    } else if (type.has_value()) {
      constant = constants_.Read(value, *type);
      const bool same = type->scalar.name == declared->scalar.name &&
                        (constant == nullptr || declared->Accepts(constant->type()));
      if (!same) {
        sink_.Error(
            Code::kDeclaredType, output.type.span,
            absl::StrCat("declared as ", declared->ToString(), ", but val is ", type->ToString()),
            absl::StrCat("declare it as ", type->ToString()));
      }
    }
  }
  const Type type = constant != nullptr ? constant->type() : Type{};
  const bool unknown = constant == nullptr;
  const ValueId id = Define(output.name, type, std::move(constant));
  resolved_.values[id].unknown_type = unknown;
  if (!unknown) resolved_.values[id].bits = declared->scalar.bits;
}

std::optional<ValueId> Resolver::Lookup(Span name) {
  const std::string_view text = source_.Text(name);
  const auto found = names_.find(text);
  if (found != names_.end()) {
    resolved_.values[found->second].used = true;
    return found->second;
  }
  ReportUnknownName(name);
  return std::nullopt;
}

void Resolver::ReportUnknownName(Span name) {
  const std::string_view text = source_.Text(name);
  for (const OperationSyntax& operation : function_->operations) {
    for (const NamedType& output : operation.outputs) {
      if (output.name.offset < name.offset || source_.Text(output.name) != text) continue;
      sink_
          .Error(Code::kUnknownName, name,
                 absl::StrCat(Shown(text), " is used before it is defined"),
                 "operations run in the order of the text: move the definition up")
          .See(output.name, "defined here");
      return;
    }
  }
  std::vector<std::string_view> known = {"true", "false"};
  for (auto value = resolved_.function.values.rbegin();
       value != resolved_.function.values.rend() && known.size() < 4096; ++value) {
    known.push_back(value->name);
  }
  sink_.Error(Code::kUnknownName, name,
              absl::StrCat("nothing named ", Shown(text), " is defined above"),
              DidYouMean(text, known));
}

// The element type that an untyped literal gets: that of the parameter it must agree with, or the
// usual one of its spelling.
ScalarType Resolver::ExpectedScalar(const Parameter* parameter, const ValueSyntax& value) const {
  const Literal* literal =
      value.literal == value.literal_end ? nullptr : &syntax_.literals[value.literal];
  while (literal != nullptr && literal->kind == Literal::Kind::kList &&
         literal->end > static_cast<uint32_t>(literal - syntax_.literals.data()) + 1) {
    ++literal;
  }
  const bool is_text = literal != nullptr && literal->kind == Literal::Kind::kString;
  if (is_text) return *FindScalarType("string");
  const std::string_view spelling = literal == nullptr ? "" : source_.Text(literal->span);
  if (spelling == "true" || spelling == "false") return *FindScalarType("bool");
  if (parameter != nullptr && !parameter->same_as.empty()) {
    const Argument* other = resolved_.function.operations.back().Find(parameter->same_as);
    if (other != nullptr && !other->values.empty()) {
      const DType dtype = resolved_.function.values[other->values[0]].type.tensor.dtype;
      const ScalarType* scalar = FindScalarType(DTypeName(dtype));
      if (scalar != nullptr) return *scalar;
    }
  }
  const bool whole = spelling.find_first_not_of("+-0123456789") == spelling.npos;
  const bool floats_only = parameter != nullptr && (parameter->types & kIntegers) == 0;
  return *FindScalarType(whole && !floats_only ? "int32" : "fp32");
}

std::optional<ValueId> Resolver::AddImmediate(const ValueSyntax& value,
                                              const ScalarType* expected) {
  std::optional<DeclaredType> type;
  if (value.typed) {
    type = types_.ReadOfConstant(value.type);
    if (type.has_value() && !type->IsFixed()) {
      sink_.Error(Code::kDynamicShape, value.type.span,
                  "a constant cannot have an unknown dimension");
      return std::nullopt;
    }
  } else {
    type = DeclaredType{.kind = expected->is_string() ? TypeKind::kString : TypeKind::kTensor,
                        .scalar = *expected};
    const Literal* literal =
        value.literal == value.literal_end ? nullptr : &syntax_.literals[value.literal];
    if (literal != nullptr && literal->kind == Literal::Kind::kList) {
      type->dims = {int64_t{literal->end} - value.literal - 1};
    }
    sink_.Note(Code::kUntypedLiteral, value.span,
               absl::StrCat("a literal without a type; taken as ", type->ToString()));
  }
  if (!type.has_value()) return std::nullopt;
  std::shared_ptr<const Constant> constant = constants_.Read(value, *type);
  if (constant == nullptr) return std::nullopt;
  const ValueId id = Define({value.span.offset, 0}, constant->type(), constant);
  resolved_.values[id] = {
      .name = value.span, .immediate = true, .used = true, .bits = type->scalar.bits};
  return id;
}

// Stands for a value that could not be read: nothing is said about it.
ValueId Resolver::Poison(Span at) {
  const ValueId id = Define({at.offset, 0}, Type{}, nullptr);
  resolved_.values[id].unknown_type = true;
  return id;
}

// The words nan and inf are names only if something of that name is defined.
bool Resolver::IsReference(const ArgumentValue& value) const {
  const std::string_view text = source_.Text(value.span);
  return value.reference() || ((text == "nan" || text == "inf") && names_.contains(text));
}

std::optional<ValueId> Resolver::ResolveArgument(const ArgumentValue& value, std::string_view name,
                                                 const OpSignature* signature) {
  if (IsReference(value)) return Lookup(value.span);
  const Parameter* parameter = signature == nullptr ? nullptr : signature->Find(name);
  const ScalarType expected = ExpectedScalar(parameter, *value.value);
  return AddImmediate(*value.value, &expected);
}

// Adds the arguments that have a type of their own, or (`untyped`) those that take one from others.
void Resolver::ResolveArguments(const std::vector<ArgumentSyntax>& arguments,
                                const OpSignature* signature, bool untyped) {
  for (const ArgumentSyntax& syntax : arguments) {
    const std::string_view name = source_.Text(syntax.name);
    const bool without_type = std::ranges::any_of(syntax.values, [this](const ArgumentValue& v) {
      return !IsReference(v) && !v.value->typed;
    });
    if (without_type != untyped || sink_.full()) continue;
    Operation& operation = resolved_.function.operations.back();
    ResolvedOperation& places = resolved_.operations.back();
    if (operation.Find(name) != nullptr) {  // already reported (duplicates.h)
      places.broken = true;
      continue;
    }
    Argument argument{std::string(name), {}};
    bool good = true;
    for (const ArgumentValue& value : syntax.values) {
      const std::optional<ValueId> id = ResolveArgument(value, name, signature);
      good = good && id.has_value();
      argument.values.push_back(id.has_value() ? *id : Poison(value.span));
    }
    const uint32_t first =
        syntax.values.empty() ? syntax.name.offset : syntax.values[0].span.offset;
    const Span last = syntax.values.empty() ? syntax.name : syntax.values.back().span;
    operation.arguments.push_back(std::move(argument));
    places.arguments.push_back({syntax.name, {first, last.offset + last.length - first}});
    places.broken = places.broken || !good;
  }
}

void Resolver::ResolveOperation(const OperationSyntax& operation) {
  const std::string_view op = source_.Text(operation.op);
  if (op.empty()) {  // what is left of a broken statement: only its results are known
    for (const NamedType& output : operation.outputs) {
      if (names_.contains(source_.Text(output.name))) continue;  // may be no result at all
      const ValueId id = Define(output.name, Type{}, nullptr);
      resolved_.values[id] = {.name = output.name, .unknown_type = true, .used = true};
    }
    return;
  }
  const OpSignature* signature = FindOp(op);
  resolved_.function.operations.push_back({.op = std::string(op), .where = RangeOf(operation.op)});
  resolved_.operations.push_back({.op = operation.op});
  const size_t most = operation.arguments.size() + operation.attributes.size();
  resolved_.function.operations.back().arguments.reserve(most);
  resolved_.operations.back().arguments.reserve(most);
  // Every operation may carry a `name`, which says nothing, unless it has a parameter of that name.
  std::vector<ArgumentSyntax> attributes;
  for (const ArgumentSyntax& attribute : operation.attributes) {
    if (source_.Text(attribute.name) != "name") attributes.push_back(attribute);
  }
  for (bool untyped : {false, true}) {
    ResolveArguments(operation.arguments, signature, untyped);
    ResolveArguments(attributes, signature, untyped);
  }
  AddResults(operation, false);
}

// The results as declared; inference compares them. A const without a usable value has results too.
void Resolver::AddResults(const OperationSyntax& operation, bool broken) {
  for (const NamedType& output : operation.outputs) {
    std::optional<DeclaredType> declared = types_.Read(output.type);
    const bool known = declared.has_value() && declared->IsFixed();
    const ValueId id = Define(output.name, known ? declared->Fixed() : Type{}, nullptr);
    resolved_.values[id].unknown_type = !known;
    if (broken) continue;
    resolved_.function.operations.back().results.push_back(id);
    resolved_.operations.back().results.push_back(
        {output.type.span, output.name, std::move(declared)});
  }
}

void Resolver::ResolveOutputs(const FunctionSyntax& function) {
  for (const Span output : function.outputs) {
    if (sink_.full()) return;
    const std::optional<ValueId> id = Lookup(output);
    if (!id.has_value()) continue;
    const Type& type = resolved_.function.values[*id].type;
    if (type.kind == TypeKind::kTensor && type.tensor.shape.ElementCount() == 0) {
      sink_.Error(Code::kBadShape, output, "an output without elements",
                  "an empty list is good for axes and shapes only");
    }
    resolved_.function.outputs.push_back(*id);
    resolved_.outputs.push_back(output);
  }
}

}  // namespace anex::mil
