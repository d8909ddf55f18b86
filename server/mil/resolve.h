// Tree -> program with names resolved and constants read, statement by statement, before anything
// is inferred of it. Beside the function under construction it keeps the places in the text that
// findings point at: of all values, and of the operation at hand.
// One thread, one run.
#ifndef ANEX_SERVER_MIL_RESOLVE_H_
#define ANEX_SERVER_MIL_RESOLVE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "proto/values/hash_map.h"
#include "server/mil/constant_reader.h"
#include "server/mil/diagnostic.h"
#include "server/mil/later_definitions.h"
#include "server/mil/name_table.h"
#include "server/mil/op_catalog.h"
#include "server/mil/program.h"
#include "server/mil/recent.h"
#include "server/mil/syntax.h"
#include "server/mil/type_reader.h"

namespace anex::mil {

struct ArgumentPlace {
  Span name, value;  // length 0: filled in by the checker
};

struct ResolvedResult {
  Span type, name;
  std::optional<DeclaredType> declared;  // nullopt if it could not be read
};

struct ResolvedOperation {  // the last one of Function::operations
  Span op;
  const OpSignature* signature = nullptr;            // null if there is none
  absl::InlinedVector<ArgumentPlace, 12> arguments;  // beside Operation::arguments
  absl::InlinedVector<ResolvedResult, 2> results;    // beside Operation::results
  bool broken = false;  // an argument could not be resolved: already reported, do not infer
};

struct ResolvedValue {         // beside Function::values
  Span name;                   // length 0: filled in by the checker
  bool immediate = false;      // `name` is a literal at its place of use
  bool unknown_type = false;   // nothing can be said about what uses it
  bool defined_twice = false;  // nor about that, whatever inference finds: which one is meant?
  bool used = false;
  bool written = false;   // a const of the text, so that it may be declared again
  bool result = false;    // of an operation that a device will run
  bool compiled = false;  // made of constants by a constexpr_ operation
  int bits = 0;           // of the elements of a constant as it was written: 4 for int4
};

struct ResolvedFunction {
  Function function;
  ResolvedOperation operation;  // the one at hand
  std::vector<ResolvedValue> values;
  std::vector<Span> outputs;  // beside Function::outputs
  // Defaults that have been filled in: by type and bytes, and those of parameters by element type.
  HashMap<std::string, ValueId> filled_in;
  HashMap<std::pair<const Parameter*, DType>, ValueId> fallbacks;
  uint64_t value_bytes = 0;  // of all inputs and results together
};

class Resolver {
 public:
  // All must outlive the resolver.
  Resolver(const SourceText& source, const ProgramSyntax& syntax, ConstantReader& constants,
           DiagnosticSink& sink);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // A new function; `head` must outlive its last statement.
  void Begin(const FunctionSyntax& head);
  // Its next statement. True if an operation has come of it: not of a const, nor of what is left of
  // a broken statement.
  bool Resolve(const OperationSyntax& operation);
  // Its outputs, which `function` has now.
  void End(const FunctionSyntax& function);
  // The function so far.
  ResolvedFunction& resolved() { return resolved_; }

 private:
  struct Written {
    DeclaredType type;
    std::shared_ptr<const Constant> constant;
    std::optional<ValueId> value;  // in the function at hand, once an argument was written so
  };

  void MakeRoom(const OperationSyntax& next);
  void ResolveParameters(const FunctionSyntax& function);
  void ResolveParameter(const NamedType& parameter,
                        const std::unordered_map<std::string, std::vector<int64_t>>& defaults);
  void ResolveOperation(const OperationSyntax& operation);
  void ResolveConst(const OperationSyntax& operation);
  std::shared_ptr<const Constant> ReadVal(const ValueSyntax& value, Span at,
                                          const DeclaredType& declared);
  void ResolveBroken(const OperationSyntax& operation);
  enum class Which : uint8_t { kTyped, kUntyped };
  bool ResolveArguments(const OperationSyntax& operation, Which which);
  void ResolveArgument(const ArgumentSyntax& argument);
  bool IsReference(const ArgumentValue& value) const;
  bool HasUntyped(const ArgumentSyntax& argument) const;
  std::optional<ValueId> ResolveValue(const ArgumentValue& value, std::string_view name);
  ValueId Poison(Span at);
  std::optional<ValueId> Lookup(Span name);
  std::optional<ValueId> AddUntyped(const ValueSyntax& value, const ScalarType& expected);
  std::optional<ValueId> AddTyped(const ValueSyntax& value);
  std::optional<ValueId> AddImmediate(const ValueSyntax& value, const Written& written);
  std::optional<Written> ReadTyped(const ValueSyntax& value);
  bool IsBlob(const ValueSyntax& value) const;
  ScalarType ExpectedScalar(const Parameter* parameter, const ValueSyntax& value) const;
  void AddResults(const OperationSyntax& operation, bool broken);
  ValueId Define(Span name, Type type, std::shared_ptr<const Constant> constant);
  void ReportUnknownName(Span name);
  void ResolveOutputs(const FunctionSyntax& function);
  SourceRange RangeOf(Span span) const;

  const SourceText& source_;
  const ProgramSyntax& syntax_;
  ConstantReader& constants_;
  DiagnosticSink& sink_;
  TypeReader types_;
  Recent<Written> recent_;  // of the function at hand
  ResolvedFunction resolved_;
  const FunctionSyntax* function_ = nullptr;  // at hand
  std::optional<LaterDefinitions> later_;     // looked for once something is unknown
  struct NameOf {
    const Resolver* resolver;
    std::string_view operator()(ValueId id) const {
      return resolver->source_.Text(resolver->resolved_.values[id].name);
    }
  };
  NameTable<NameOf> names_{NameOf{this}};
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_RESOLVE_H_
