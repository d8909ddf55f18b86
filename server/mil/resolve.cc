#include "server/mil/resolve.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/mil/flexible_shapes.h"
#include "server/mil/nearest_name.h"

namespace anex::mil {
namespace {

const ArgumentSyntax* FindAttribute(const SourceText& source, Nodes<ArgumentSyntax> attributes,
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

// More than one statement ever adds to a table, but for long lists.
constexpr size_t kSpare = 64;

}  // namespace

Resolver::Resolver(const SourceText& source, const ProgramSyntax& syntax, ConstantReader& constants,
                   DiagnosticSink& sink)
    : source_(source), syntax_(syntax), constants_(constants), sink_(sink), types_(source, sink) {}

SourceRange Resolver::RangeOf(Span span) const {
  const Position position = source_.PositionOf(span.offset);
  return {position.line, position.column, span.length};
}

void Resolver::Begin(const FunctionSyntax& head) {
  names_.Clear();
  resolved_ = {};
  recent_ = {};
  later_.reset();
  function_ = &head;
  resolved_.function.name = std::string(source_.Text(head.name));
  resolved_.function.opset = std::string(source_.Text(head.opset));
  // A statement of programs that exist has about this many bytes.
  constexpr size_t kStatement = 96, kFew = 2048;
  const size_t statements =
      std::min((source_.text().size() - head.name.offset) / kStatement, kFew) + kSpare;
  resolved_.function.operations.reserve(statements);
  resolved_.function.values.reserve(statements);
  resolved_.values.reserve(statements);
  ResolveParameters(head);
}

bool Resolver::Resolve(const OperationSyntax& operation) {
  MakeRoom(operation);
  const std::string_view op = source_.Text(operation.op);
  if (op.empty()) {
    ResolveBroken(operation);
  } else if (op == "const") {
    ResolveConst(operation);
  } else {
    ResolveOperation(operation);
    return true;
  }
  return false;
}

void Resolver::End(const FunctionSyntax& function) {
  ResolveOutputs(function);
  // The program stays for long, what was expected and did not come should not.
  const auto trim = [](auto& table) {
    if (table.capacity() - table.size() > table.size() / 4) table.shrink_to_fit();
  };
  trim(resolved_.function.operations);
  trim(resolved_.function.values);
}

// Growing by doubling would copy blocks of megabytes again and again, and touch twice the memory.
// What the rest of the text will need is known well from what has been read of it.
void Resolver::MakeRoom(const OperationSyntax& next) {
  const auto grow = [&](auto& table) {
    const size_t size = table.size();
    if (table.capacity() - size >= kSpare) return;
    const uint64_t read = next.span.offset - function_->name.offset + 1;
    const uint64_t left = source_.text().size() - next.span.offset;
    const uint64_t expected = size + size * left / read + size * left / read / 32;
    table.reserve(std::clamp<uint64_t>(expected, size + size / 2, 128 * size) + 2 * kSpare);
  };
  grow(resolved_.function.operations);
  grow(resolved_.function.values);
  grow(resolved_.values);
}

ValueId Resolver::Define(Span name, Type type, std::shared_ptr<const Constant> constant) {
  const ValueId id = static_cast<ValueId>(resolved_.function.values.size());
  const std::string_view text = source_.Text(name);
  const std::optional<ValueId> before = text.empty() ? std::nullopt : names_.Find(text);
  // Some generators declare a constant again and again; the last one counts.
  const bool counts =
      !before.has_value() || (constant != nullptr && resolved_.values[*before].written);
  resolved_.function.values.push_back(
      {std::string(text), type, std::move(constant), RangeOf(name)});
  resolved_.values.push_back({.name = name});
  if (!counts) {
    ResolvedValue& first = resolved_.values[*before];
    sink_
        .Error(Code::kDuplicateName, name, absl::StrCat(Shown(text), " is defined a second time"),
               "every result needs a name of its own")
        .See(first.name, "first defined here");
    first.defined_twice = true;
    first.used = true;
  } else if (!text.empty()) {
    names_.Set(text, id);
  }
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
      chosen.dims.assign(fixed->second.begin(), fixed->second.end());
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
  const TensorType& tensor = resolved_.function.values[id].type.tensor;
  resolved_.value_bytes +=
      static_cast<uint64_t>(tensor.shape.ElementCount()) * ElementSize(tensor.dtype);
}

// The `val` of a const that is declared as `declared` at `at`. Null after a report.
std::shared_ptr<const Constant> Resolver::ReadVal(const ValueSyntax& value, Span at,
                                                  const DeclaredType& declared) {
  if (!value.typed && !declared.IsFixed()) {
    sink_.Error(Code::kDynamicShape, at, "a constant cannot have an unknown dimension");
    return nullptr;
  }
  const std::optional<Written> written =
      value.typed ? ReadTyped(value) : Written{declared, constants_.Read(value, declared), {}};
  if (!written.has_value()) return nullptr;
  const std::shared_ptr<const Constant>& constant = written->constant;
  const bool same = written->type.scalar.name == declared.scalar.name &&
                    (constant == nullptr || declared.Accepts(constant->type()));
  if (!same) {
    sink_.Error(Code::kDeclaredType, at,
                absl::StrCat("declared as ", declared.ToString(), ", but val is ",
                             written->type.ToString()),
                absl::StrCat("declare it as ", written->type.ToString()));
  }
  return constant;
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
    constant = ReadVal(*val->values[0].value, output.type.span, *declared);
  }
  const Type type = constant != nullptr ? constant->type() : Type{};
  const bool unknown = constant == nullptr;
  const std::optional<ValueId> before = names_.Find(source_.Text(output.name));
  if (unknown && before.has_value() && resolved_.values[*before].written) {
    // It is a const declared again all the same: from here on nobody knows which.
    resolved_.values[*before].unknown_type = true;
    return;
  }
  const ValueId id = Define(output.name, type, std::move(constant));
  resolved_.values[id].unknown_type = unknown;
  resolved_.values[id].written = true;
  if (!unknown) resolved_.values[id].bits = declared->scalar.bits;
}

std::optional<ValueId> Resolver::Lookup(Span name) {
  const std::string_view text = source_.Text(name);
  if (const std::optional<ValueId> found = names_.Find(text)) {
    resolved_.values[*found].used = true;
    return *found;
  }
  ReportUnknownName(name);
  return std::nullopt;
}

void Resolver::ReportUnknownName(Span name) {
  const std::string_view text = source_.Text(name);
  if (!later_.has_value()) later_.emplace(source_, name.offset);
  if (const std::optional<Span> later = later_->Find(text, name.offset)) {
    sink_
        .Error(Code::kUnknownName, name, absl::StrCat(Shown(text), " is used before it is defined"),
               "operations run in the order of the text: move the definition up")
        .See(*later, "defined here");
    return;
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
  // A list without elements has no spelling that tells: it holds what the parameter takes.
  if (literal != nullptr && literal->kind == Literal::Kind::kList) {
    const bool bools = parameter != nullptr && (parameter->types & kIntegers) == 0 &&
                       (parameter->types & kBools) != 0;
    return *FindScalarType(bools ? "bool" : "int32");
  }
  const bool whole = spelling.find_first_not_of("+-0123456789") == spelling.npos;
  const bool floats_only = parameter != nullptr && (parameter->types & kIntegers) == 0;
  return *FindScalarType(whole && !floats_only ? "int32" : "fp32");
}

bool Resolver::IsBlob(const ValueSyntax& value) const {
  return value.literal != value.literal_end &&
         syntax_.literals[value.literal].kind == Literal::Kind::kBlob;
}

// type(literal). nullopt after a report of its type, a null constant after one of its literal.
std::optional<Resolver::Written> Resolver::ReadTyped(const ValueSyntax& value) {
  const std::string_view spelling = source_.Text(value.span);
  if (const Written* known = recent_.Find(spelling)) return *known;
  const std::optional<DeclaredType> type = types_.ReadOfConstant(value.type);
  if (!type.has_value()) return std::nullopt;
  if (!type->IsFixed()) {
    sink_.Error(Code::kDynamicShape, value.type.span,
                "a constant cannot have an unknown dimension");
    return std::nullopt;
  }
  const uint32_t findings = sink_.findings();
  const Written written{*type, constants_.Read(value, *type), {}};
  // What was found is to be said at each place, and bytes of weight files are counted by place.
  if (sink_.findings() == findings && !IsBlob(value)) recent_.Keep(spelling, written);
  return written;
}

std::optional<ValueId> Resolver::AddTyped(const ValueSyntax& value) {
  const std::optional<Written> written = ReadTyped(value);
  if (!written.has_value() || written->value.has_value()) {
    return written.has_value() ? written->value : std::nullopt;
  }
  const std::optional<ValueId> id = AddImmediate(value, *written);
  // What is written again is the same value again.
  const std::string_view spelling = source_.Text(value.span);
  if (id.has_value() && recent_.Find(spelling) != nullptr) {
    recent_.Keep(spelling, {written->type, written->constant, id});
  }
  return id;
}

std::optional<ValueId> Resolver::AddUntyped(const ValueSyntax& value, const ScalarType& expected) {
  DeclaredType type{.kind = expected.is_string() ? TypeKind::kString : TypeKind::kTensor,
                    .scalar = expected};
  const Literal* literal =
      value.literal == value.literal_end ? nullptr : &syntax_.literals[value.literal];
  if (literal != nullptr && literal->kind == Literal::Kind::kList) {
    type.dims = {int64_t{literal->end} - value.literal - 1};
  }
  sink_.Note(Code::kUntypedLiteral, value.span,
             absl::StrCat("a literal without a type; taken as ", type.ToString()));
  return AddImmediate(value, {type, constants_.Read(value, type), {}});
}

std::optional<ValueId> Resolver::AddImmediate(const ValueSyntax& value, const Written& written) {
  if (written.constant == nullptr) return std::nullopt;
  const ValueId id = Define({value.span.offset, 0}, written.constant->type(), written.constant);
  resolved_.values[id] = {
      .name = value.span, .immediate = true, .used = true, .bits = written.type.scalar.bits};
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
  return value.reference() || ((text == "nan" || text == "inf") && names_.Find(text).has_value());
}

bool Resolver::HasUntyped(const ArgumentSyntax& argument) const {
  return std::ranges::any_of(argument.values, [this](const ArgumentValue& value) {
    return !value.reference() && !value.value->typed && !IsReference(value);
  });
}

std::optional<ValueId> Resolver::ResolveValue(const ArgumentValue& value, std::string_view name) {
  if (IsReference(value)) return Lookup(value.span);
  if (value.value->typed) return AddTyped(*value.value);
  const OpSignature* signature = resolved_.operation.signature;
  const Parameter* parameter = signature == nullptr ? nullptr : signature->Find(name);
  return AddUntyped(*value.value, ExpectedScalar(parameter, *value.value));
}

void Resolver::ResolveArgument(const ArgumentSyntax& syntax) {
  const std::string_view name = source_.Text(syntax.name);
  Operation& operation = resolved_.function.operations.back();
  ResolvedOperation& places = resolved_.operation;
  if (operation.Find(name) != nullptr) {  // already reported (duplicates.h)
    places.broken = true;
    return;
  }
  Argument argument{std::string(name), {}};
  bool good = true;
  for (const ArgumentValue& value : syntax.values) {
    const std::optional<ValueId> id = ResolveValue(value, name);
    good = good && id.has_value();
    argument.values.push_back(id.has_value() ? *id : Poison(value.span));
  }
  const uint32_t first = syntax.values.empty() ? syntax.name.offset : syntax.values[0].span.offset;
  const Span last = syntax.values.empty() ? syntax.name : syntax.values.back().span;
  operation.arguments.push_back(std::move(argument));
  places.arguments.push_back({syntax.name, {first, last.offset + last.length - first}});
  places.broken = places.broken || !good;
}

// Adds the arguments that have a type of their own, or those that take one from others. True if
// there are of the other kind.
bool Resolver::ResolveArguments(const OperationSyntax& operation, Which which) {
  bool others = false;
  for (const bool in_brackets : {false, true}) {
    for (const ArgumentSyntax& argument :
         in_brackets ? operation.attributes : operation.arguments) {
      // Every operation may carry a `name` in its brackets, which says nothing.
      if (sink_.full() || (in_brackets && source_.Text(argument.name) == "name")) continue;
      if (HasUntyped(argument) == (which == Which::kUntyped)) {
        ResolveArgument(argument);
      } else {
        others = true;
      }
    }
  }
  return others;
}

// What is left of a broken statement: only its results are known.
void Resolver::ResolveBroken(const OperationSyntax& operation) {
  for (const NamedType& output : operation.outputs) {
    if (names_.Find(source_.Text(output.name)).has_value()) continue;  // may be no result at all
    const ValueId id = Define(output.name, Type{}, nullptr);
    resolved_.values[id] = {.name = output.name, .unknown_type = true, .used = true};
  }
}

void Resolver::ResolveOperation(const OperationSyntax& operation) {
  const std::string_view op = source_.Text(operation.op);
  resolved_.operation = {.op = operation.op, .signature = FindOp(op)};
  resolved_.function.operations.push_back({.op = std::string(op), .where = RangeOf(operation.op)});
  // With those that will be filled in.
  const OpSignature* signature = resolved_.operation.signature;
  resolved_.function.operations.back().arguments.reserve(
      std::max(signature == nullptr ? 0 : signature->parameters.size(),
               operation.arguments.size() + operation.attributes.size()));
  if (ResolveArguments(operation, Which::kTyped)) ResolveArguments(operation, Which::kUntyped);
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
    resolved_.values[id].result = true;
    resolved_.function.operations.back().results.push_back(id);
    resolved_.operation.results.push_back({output.type.span, output.name, std::move(declared)});
  }
}

void Resolver::ResolveOutputs(const FunctionSyntax& function) {
  // Behind the outputs the next function begins, whose definitions are none of this one.
  if (!later_.has_value()) later_.emplace(source_, static_cast<uint32_t>(source_.text().size()));
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
