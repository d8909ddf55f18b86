// Tree -> program with names resolved and constants read, before anything is inferred. Beside the
// function under construction it keeps the places in the text that later findings point at.
// One thread, one run.
#ifndef ANEX_SERVER_MIL_RESOLVE_H_
#define ANEX_SERVER_MIL_RESOLVE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/mil/constant_reader.h"
#include "server/mil/diagnostic.h"
#include "server/mil/op_catalog.h"
#include "server/mil/program.h"
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

struct ResolvedOperation {  // beside Function::operations of the same index
  Span op;
  std::vector<ArgumentPlace> arguments;  // beside Operation::arguments
  std::vector<ResolvedResult> results;   // beside Operation::results
  bool broken = false;    // an argument could not be resolved: already reported, do not infer
  bool folded = false;    // its results are constants now
  bool left_out = false;  // what it does depends on weights that were not sent
};

struct ResolvedValue {         // beside Function::values
  Span name;                   // length 0: filled in by the checker
  bool immediate = false;      // `name` is a literal at its place of use
  bool unknown_type = false;   // nothing can be said about what uses it
  bool defined_twice = false;  // nor about that, whatever inference finds: which one is meant?
  bool used = false;
  bool compiled = false;  // made of constants by a constexpr_ operation
  int bits = 0;           // of the elements of a constant as it was written: 4 for int4
};

struct ResolvedFunction {
  Function function;
  std::vector<ResolvedOperation> operations;
  std::vector<ResolvedValue> values;
  std::vector<Span> outputs;                            // beside Function::outputs
  absl::flat_hash_map<std::string, ValueId> fallbacks;  // filled-in defaults, by type and bytes
};

class Resolver {
 public:
  // All must outlive the resolver.
  Resolver(const SourceText& source, const ProgramSyntax& syntax, ConstantReader& constants,
           DiagnosticSink& sink);

  ResolvedFunction Resolve(const FunctionSyntax& function);

 private:
  void Reserve(const FunctionSyntax& function);
  void ResolveParameters(const FunctionSyntax& function);
  void ResolveParameter(const NamedType& parameter,
                        const std::unordered_map<std::string, std::vector<int64_t>>& defaults);
  void ResolveOperation(const OperationSyntax& operation);
  void ResolveConst(const OperationSyntax& operation);
  void ResolveArguments(const std::vector<ArgumentSyntax>& arguments, const OpSignature* signature,
                        bool untyped);
  bool IsReference(const ArgumentValue& value) const;
  std::optional<ValueId> ResolveArgument(const ArgumentValue& value, std::string_view name,
                                         const OpSignature* signature);
  ValueId Poison(Span at);
  std::optional<ValueId> Lookup(Span name);
  std::optional<ValueId> AddImmediate(const ValueSyntax& value, const ScalarType* expected);
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
  ResolvedFunction resolved_;
  const FunctionSyntax* function_ = nullptr;  // at hand
  // Names come from the text: its hash is not to be foreseen.
  absl::flat_hash_map<std::string_view, ValueId> names_;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_RESOLVE_H_
