#include "server/mil/check.h"

#include <unordered_map>

#include "absl/strings/str_cat.h"

namespace anex::mil {
namespace {

void CheckOutputs(const ResolvedFunction& resolved, DiagnosticSink& sink) {
  std::unordered_map<ValueId, Span> seen;
  for (size_t i = 0; i < resolved.function.outputs.size(); ++i) {
    const ValueId id = resolved.function.outputs[i];
    const Value& value = resolved.function.values[id];
    const auto [first, fresh] = seen.emplace(id, resolved.outputs[i]);
    if (!fresh) {
      sink.Error(Code::kDuplicateOutput, resolved.outputs[i],
                 absl::StrCat("output ", Shown(value.name), " is listed twice"))
          .See(first->second, "first listed here");
    }
    if (resolved.values[id].unknown_type) continue;
    if (value.type.kind == TypeKind::kTensor) continue;
    sink.Error(value.type.kind == TypeKind::kState ? Code::kNotAValue : Code::kUnsupportedType,
               resolved.outputs[i],
               absl::StrCat("output ", Shown(value.name), " is a ", value.type.ToString(),
                            "; outputs are tensors"));
  }
}

}  // namespace

void CheckFunction(const ResolvedFunction& resolved, DiagnosticSink& sink) {
  CheckOutputs(resolved, sink);
  if (sink.has_errors()) return;  // a use may be hidden in a statement that was not understood
  // Unused constants and dead operations are legal, so this is a note, and only where a result was
  // computed: generators declare constants by the dozen.
  for (size_t id = 0; id < resolved.values.size(); ++id) {
    if (!resolved.values[id].result || resolved.values[id].used) continue;
    sink.Note(Code::kUnused, resolved.values[id].name,
              absl::StrCat("nothing uses ", Shown(resolved.function.values[id].name)));
  }
}

}  // namespace anex::mil
