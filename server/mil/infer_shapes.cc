#include "server/mil/infer_shapes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/mil/nearest_name.h"
#include "server/mil/op_catalog.h"
#include "server/mil/op_context.h"
#include "server/mil/other_names.h"

namespace anex::mil {
namespace {

TypeSet SetOfType(const Type& type) {
  if (type.kind == TypeKind::kString) return kStrings;
  if (type.kind == TypeKind::kState) return kStates;
  return SetOf(type.tensor.dtype);
}

bool IsList(const Parameter& parameter) {
  return parameter.types == kIntegers || parameter.types == kBools;
}

// Of a list that was not sent: more than any but the sizes of a split, which are as many as its
// results.
constexpr size_t kMostKnownInts = 64;

// One operation against its signature.
class OperationChecker {
 public:
  OperationChecker(ResolvedFunction& resolved, Folder& folder, DiagnosticSink& sink)
      : resolved_(resolved), folder_(folder), sink_(sink) {}

  void Check() {
    const OpSignature* signature = places().signature;
    if (signature == nullptr) return ReportUnknown();
    if (!CheckArguments(*signature) || places().broken) return;
    // Of an operand in error the program is none; of one that was left out, nor is this one known.
    if (AnyUnknown()) return LeaveOut();
    FillFallbacks(*signature);
    const Inferred inferred = HasMadeUp() ? InferFromMadeUp(*signature) : Infer(*signature, sink_);
    if (left_out_) return LeaveOut();
    Order(*signature);
    if (inferred.has_value() && CompareResults(*inferred)) Fold();
  }

 private:
  Operation& operation() { return resolved_.function.operations.back(); }
  ResolvedOperation& places() { return resolved_.operation; }
  Value& value(ValueId id) { return resolved_.function.values[id]; }

  bool IsUnknown(ValueId id) const {
    return resolved_.values[id].unknown_type || resolved_.values[id].defined_twice;
  }

  bool AnyUnknown() {
    for (const Argument& argument : operation().arguments) {
      for (ValueId id : argument.values) {
        if (IsUnknown(id)) return true;
      }
    }
    return false;
  }

  bool HasMadeUp() {
    for (const Argument& argument : operation().arguments) {
      for (ValueId id : argument.values) {
        if (value(id).constant != nullptr && value(id).constant->made_up()) return true;
      }
    }
    return false;
  }

  Inferred Infer(const OpSignature& signature, DiagnosticSink& sink) {
    OpContext context(resolved_, sink);
    return signature.infer(context);
  }

  // A list of numbers that were not sent, longer than any operation of these results can want.
  // What is wrong with it will not be said, so nothing ever stops a text from having it read again.
  bool HasLongMadeUpList(const OpSignature& signature) {
    const size_t most = std::max<size_t>(kMostKnownInts, places().results.size());
    for (const Argument& argument : operation().arguments) {
      const Parameter& parameter = *signature.Find(argument.name);
      if (!parameter.constant || !IsList(parameter)) continue;
      for (ValueId id : argument.values) {
        const Constant* constant = value(id).constant.get();
        if (constant == nullptr || !constant->made_up()) continue;
        if (static_cast<size_t>(value(id).type.tensor.shape.ElementCount()) > most) return true;
      }
    }
    return false;
  }

  // Where the result depends on numbers that were not sent, the declared types are believed, and
  // the operation is left out unless what stands in for them happens to give just these types.
  // Dimensions that are not declared (`?`) are then not known at all. What no numbers mend is
  // reported all the same.
  Inferred InferFromMadeUp(const OpSignature& signature) {
    if (HasLongMadeUpList(signature)) {
      left_out_ = true;
      return std::nullopt;
    }
    DiagnosticSink quiet(sink_.source(), 1);
    OpContext context(resolved_, quiet);
    Inferred inferred = signature.infer(context);
    if (!context.has_read_made_up()) return Infer(signature, sink_);
    if (inferred.has_value() && IsAsDeclared(*inferred)) return inferred;
    if (inferred.has_value()) ReportWhateverTheNumbers(*inferred);
    left_out_ = true;
    return std::nullopt;
  }

  // Numbers decide about shapes; about how many results there are only where they say just that,
  // and about their element types nowhere.
  void ReportWhateverTheNumbers(const std::vector<TensorType>& inferred) {
    if (HasUnreadResult()) return;
    const bool counted = operation().op == "split" || operation().op == "topk";
    if (inferred.size() != operation().results.size()) {
      if (!counted) ReportCount(inferred.size());
      return;
    }
    for (size_t i = 0; i < inferred.size(); ++i) {
      const ResolvedResult& result = places().results[i];
      const DType declared = result.declared->scalar.dtype;
      if (result.declared->kind == TypeKind::kTensor && declared == inferred[i].dtype) continue;
      sink_.Error(
          Code::kDeclaredType, result.type,
          absl::StrCat("declared as ", result.declared->ToString(), ", but `", operation().op,
                       "` gives elements of ", std::string(DTypeName(inferred[i].dtype))));
      resolved_.values[operation().results[i]].unknown_type = true;
    }
  }

  void ReportCount(size_t count) {
    sink_.Error(
        Code::kResultCount, places().op,
        absl::StrCat("`", operation().op, "` has ", count, count == 1 ? " result" : " results",
                     ", but ", operation().results.size(), " are declared"));
  }

  bool IsAsDeclared(const std::vector<TensorType>& inferred) {
    if (inferred.size() != places().results.size()) return false;
    for (size_t i = 0; i < inferred.size(); ++i) {
      const std::optional<DeclaredType>& declared = places().results[i].declared;
      if (!declared.has_value() || !declared->IsFixed()) return false;
      if (!declared->Accepts({TypeKind::kTensor, inferred[i]})) return false;
    }
    return true;
  }

  void ReportUnknown() {
    const std::string& op = operation().op;
    if (const std::string_view why = WhyUnsupported(op); !why.empty()) {
      // What only such operations give has no readable type either: that has been said.
      if (HasUnreadResult()) return;
      sink_.Error(Code::kUnsupportedOperation, places().op,
                  absl::StrCat("operation ", Shown(op), " is not supported"), std::string(why));
    } else {
      std::string help = HelpForOtherName(op);
      if (help.empty()) help = DidYouMean(op, SupportedOps());
      sink_.Error(Code::kUnknownOperation, places().op,
                  absl::StrCat("unknown operation ", Shown(op)), std::move(help));
    }
  }

  bool HasUnreadResult() {
    return std::ranges::any_of(places().results,
                               [](const ResolvedResult& r) { return !r.declared.has_value(); });
  }

  bool CheckArguments(const OpSignature& signature) {
    bool good = true;
    std::vector<std::string_view> meant;  // parameters whose name was mistyped
    for (size_t i = 0; i < operation().arguments.size(); ++i) {
      const Argument& argument = operation().arguments[i];
      const Parameter* parameter = signature.Find(argument.name);
      if (parameter == nullptr) {
        meant.push_back(ReportUnknownArgument(signature, i));
        good = false;
      } else {
        good = CheckArgument(*parameter, i) && good;
      }
    }
    for (const Parameter& parameter : signature.parameters) {
      if (parameter.fallback.kind != Fallback::Kind::kNone ||
          operation().Find(parameter.name) != nullptr ||
          std::ranges::find(meant, parameter.name) != meant.end()) {
        continue;
      }
      sink_.Error(
          Code::kMissingArgument, places().op,
          absl::StrCat("`", operation().op, "` needs the argument ", Shown(parameter.name)));
      good = false;
    }
    return good && CheckSameTypes(signature);
  }

  // The name that was meant, or "".
  std::string_view ReportUnknownArgument(const OpSignature& signature, size_t i) {
    std::vector<std::string_view> names;
    for (const Parameter& parameter : signature.parameters) names.push_back(parameter.name);
    names.push_back("name");  // the label that any operation may have
    const std::string& name = operation().arguments[i].name;
    std::string help = name == "name" ? "the label goes in brackets behind the parentheses: "
                                        "[name = string(\"...\")]"
                                      : DidYouMean(name, names);
    if (help.empty()) {
      names.pop_back();
      help = absl::StrCat("`", operation().op, "` takes");
      for (size_t n = 0; n < names.size(); ++n) {
        absl::StrAppend(&help, n ? ", " : " ", std::string(names[n]));
      }
    }
    sink_.Error(Code::kUnknownArgument, places().arguments[i].name,
                absl::StrCat("`", operation().op, "` has no argument ", Shown(name)),
                std::move(help));
    return NearestName(name, names);
  }

  std::string Who(const Parameter& parameter) {
    return absl::StrCat("argument ", Shown(parameter.name), " of `", operation().op, "`");
  }

  bool CheckArgument(const Parameter& parameter, size_t i) {
    const Argument& argument = operation().arguments[i];
    const Span at = places().arguments[i].value;
    if (argument.values.empty() || (argument.values.size() > 1 && !parameter.variadic)) {
      sink_.Error(Code::kArgumentType, at,
                  absl::StrCat(Who(parameter), " takes ",
                               parameter.variadic ? "one value or more" : "one value", ", found ",
                               argument.values.size()));
      return false;
    }
    for (ValueId id : argument.values) {
      if (!IsUnknown(id) && !CheckValue(parameter, id, at)) return false;
    }
    return true;
  }

  bool CheckValue(const Parameter& parameter, ValueId id, Span at) {
    const Value& value = resolved_.function.values[id];
    const bool known =
        value.constant != nullptr || (parameter.compiled && resolved_.values[id].compiled);
    if ((SetOfType(value.type) & parameter.types) == 0) {
      const Code code =
          value.type.kind == TypeKind::kState ? Code::kNotAValue : Code::kArgumentType;
      SeeDeclaration(
          sink_.Error(code, at,
                      absl::StrCat(Who(parameter), " must be ", Describe(parameter.types),
                                   ", found ", value.type.ToString()),
                      value.type.kind == TypeKind::kState ? "read it first with read_state" : ""),
          id);
      return false;
    }
    if (parameter.constant && !known) {
      SeeDeclaration(
          sink_.Error(Code::kArgumentNotConstant, at,
                      absl::StrCat(Who(parameter), " must be a constant"),
                      parameter.compiled ? "weights are unpacked when the program is compiled"
                                         : "it is needed when the program is compiled: give a "
                                           "const, or write the value here"),
          id);
      return false;
    }
    const Shape& shape = value.type.tensor.shape;
    const bool is_list = IsList(parameter);
    // Lists are read whole; no shape, permutation or split is longer.
    constexpr int64_t kMostInts = 1 << 16;
    if (parameter.constant && is_list && shape.ElementCount() > kMostInts) {
      sink_.Error(Code::kArgumentValue, at,
                  absl::StrCat(Who(parameter), " is a list of ", shape.ElementCount(),
                               " entries; at most ", kMostInts, " are possible"));
      return false;
    }
    if (shape.ElementCount() == 0 && !(is_list && parameter.max_rank == 1)) {
      SeeDeclaration(
          sink_.Error(Code::kArgumentType, at, absl::StrCat(Who(parameter), " has no elements"),
                      "an empty list is good for axes and shapes only"),
          id);
      return false;
    }
    const bool one_element = parameter.max_rank == 0 && shape.ElementCount() == 1;
    if (shape.rank() > parameter.max_rank && !(one_element && shape.rank() <= 1)) {
      SeeDeclaration(sink_.Error(Code::kArgumentType, at,
                                 absl::StrCat(Who(parameter), " must be ",
                                              parameter.max_rank == 0 ? "one number" : "a list",
                                              ", found ", value.type.ToString())),
                     id);
      return false;
    }
    return true;
  }

  // Where the value was declared, if that is elsewhere.
  void SeeDeclaration(DiagnosticSink::Report report, ValueId id) {
    const ResolvedValue& declared = resolved_.values[id];
    if (declared.immediate || declared.name.length == 0) return;
    report.See(declared.name, absl::StrCat(Shown(value(id).name), " is ", value(id).type.ToString(),
                                           ", declared here"));
  }

  bool CheckSameTypes(const OpSignature& signature) {
    bool good = true;
    for (size_t i = 0; i < operation().arguments.size(); ++i) {
      const Argument& argument = operation().arguments[i];
      const Parameter* parameter = signature.Find(argument.name);
      if (parameter->same_as.empty()) continue;
      const Argument* other = operation().Find(parameter->same_as);
      if (other == nullptr || IsUnknown(other->values[0])) continue;
      const DType wanted = value(other->values[0]).type.tensor.dtype;
      for (ValueId id : argument.values) {
        const DType found = value(id).type.tensor.dtype;
        if (IsUnknown(id) || found == wanted || MayDiffer(*parameter, found, wanted)) continue;
        const DiagnosticSink::Report report =
            sink_.Error(Code::kArgumentType, places().arguments[i].value,
                        absl::StrCat("argument ", Shown(argument.name), " of `", operation().op,
                                     "` is ", std::string(DTypeName(found)), ", but ",
                                     Shown(other->name), " is ", std::string(DTypeName(wanted))),
                        "operands must have the same element type: insert a cast");
        SeeDeclaration(report, id);
        SeeDeclaration(report, other->values[0]);
        good = false;
        break;
      }
    }
    return good;
  }

  bool MayDiffer(const Parameter& parameter, DType found, DType wanted) {
    return parameter.loosely && IsFloat(found) && IsFloat(wanted) &&
           OpContext(resolved_, sink_).opset() >= 17;
  }

  // Those that shapes have no part in; the infer function fills in the others.
  void FillFallbacks(const OpSignature& signature) {
    OpContext context(resolved_, sink_);
    for (const Parameter& parameter : signature.parameters) {
      using Kind = Fallback::Kind;
      const Kind kind = parameter.fallback.kind;
      if (kind == Kind::kNone || kind == Kind::kAbsent || kind == Kind::kComputed) continue;
      if (operation().Find(parameter.name) != nullptr) continue;
      const DType dtype = kind == Kind::kLike ? LikeType(parameter) : DType::kInvalid;
      const auto [known, fresh] = resolved_.fallbacks.try_emplace({&parameter, dtype}, ValueId{0});
      if (fresh) {
        context.Fill(parameter.name, MakeFallback(parameter.fallback, dtype));
        known->second = operation().arguments.back().values[0];
      } else {
        context.Fill(parameter.name, known->second);
      }
    }
  }

  DType LikeType(const Parameter& parameter) {
    return operation().Find(parameter.same_as) != nullptr ? TypeOfFirst(parameter.same_as)
                                                          : DType::kFp32;
  }

  // `dtype` is that of a kLike.
  static std::shared_ptr<const Constant> MakeFallback(const Fallback& fallback, DType dtype) {
    const int64_t whole = static_cast<int64_t>(fallback.number);
    if (fallback.kind == Fallback::Kind::kText) {
      return Constant::OfString(std::string(fallback.text));
    }
    if (IsFloat(dtype)) return Constant::OfDoubles(dtype, {}, {{fallback.number}});
    if (fallback.kind == Fallback::Kind::kBool) dtype = DType::kBool;
    if (fallback.kind == Fallback::Kind::kInt32) dtype = DType::kInt32;
    return Constant::OfInts(dtype, {}, {{whole}});
  }

  DType TypeOfFirst(std::string_view argument) {
    return value(operation().Find(argument)->values[0]).type.tensor.dtype;
  }

  // Arguments in the order of the signature: one program, one spelling. They are few, and nearly in
  // order: each moves down to its place.
  void Order(const OpSignature& signature) {
    auto& arguments = operation().arguments;
    const auto order = [&](size_t i) { return signature.Find(arguments[i].name); };
    for (size_t i = 1; i < arguments.size(); ++i) {
      const Parameter* const here = order(i);
      size_t to = i;
      while (to > 0 && order(to - 1) > here) --to;
      std::rotate(arguments.begin() + to, arguments.begin() + i, arguments.begin() + i + 1);
      auto& at = places().arguments;
      std::rotate(at.begin() + to, at.begin() + i, at.begin() + i + 1);
    }
  }

  // False if anything is wrong with them.
  bool CompareResults(const std::vector<TensorType>& inferred) {
    if (inferred.size() != operation().results.size()) {
      if (HasUnreadResult())
        return false;  // what was meant to be several results may be written as one
      ReportCount(inferred.size());
      return false;
    }
    bool good = true;
    for (size_t i = 0; i < inferred.size(); ++i) {
      const Type type{TypeKind::kTensor, inferred[i]};
      const ResolvedResult& result = places().results[i];
      if (result.declared.has_value() && !result.declared->Accepts(type)) {
        sink_.Error(Code::kDeclaredType, result.type,
                    absl::StrCat("declared as ", result.declared->ToString(), ", but `",
                                 operation().op, "` gives ", type.ToString()),
                    absl::StrCat("declare it as ", type.ToString()));
        // Which of the two was meant nobody knows: say nothing of what uses it.
        resolved_.values[operation().results[i]].unknown_type = true;
        good = false;
        continue;
      }
      // The reader of types has looked at the size of what was declared.
      const bool looked_at = result.declared.has_value() && result.declared->IsFixed();
      const absl::Status size =
          looked_at ? absl::OkStatus()
                    : MakePackedLayout(inferred[i].dtype, inferred[i].shape).status();
      if (!size.ok()) {
        sink_.Error(Code::kTensorTooLarge, result.type, std::string(size.message()));
        good = false;
        continue;
      }
      value(operation().results[i]).type = type;
      resolved_.value_bytes +=
          static_cast<uint64_t>(type.tensor.shape.ElementCount()) * ElementSize(type.tensor.dtype);
      resolved_.values[operation().results[i]].unknown_type = false;
      resolved_.values[operation().results[i]].compiled = operation().op.starts_with("constexpr_");
    }
    return good;
  }

  // From here on the results are constants.
  void Fold() {
    Folded folded = folder_.Fold(resolved_.function, operation());
    if (folded.empty()) return;
    for (size_t i = 0; i < folded.size(); ++i) {
      value(operation().results[i]).constant = std::move(folded[i]);
    }
    Function& function = resolved_.function;
    function.folded.push_back({std::move(operation()), function.operations.size() - 1});
    for (ValueId id : function.folded.back().operation.results) resolved_.values[id].result = false;
    function.operations.pop_back();
  }

  // Without weights that are not there it cannot be understood.
  void LeaveOut() {
    for (ValueId id : operation().results) resolved_.values[id].result = false;
    resolved_.function.operations.pop_back();
  }

  ResolvedFunction& resolved_;
  Folder& folder_;
  DiagnosticSink& sink_;
  bool left_out_ = false;
};

}  // namespace

void InferShapes(ResolvedFunction& resolved, Folder& folder, DiagnosticSink& sink) {
  OperationChecker(resolved, folder, sink).Check();
}

}  // namespace anex::mil
