#include "server/mil/front_end.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/mil/check.h"
#include "server/mil/constant_reader.h"
#include "server/mil/diagnostic.h"
#include "server/mil/duplicates.h"
#include "server/mil/fold.h"
#include "server/mil/infer_shapes.h"
#include "server/mil/opset.h"
#include "server/mil/parser.h"
#include "server/mil/program_memory.h"
#include "server/mil/render_text.h"
#include "server/mil/resolve.h"

namespace anex::mil {
namespace {

using Clock = std::chrono::steady_clock;

// Spans are 32-bit.
constexpr uint64_t kMostText = (uint64_t{1} << 32) - 1;

int64_t Since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

// Points at the operation at which a function is over the limit.
void CheckMemory(const ResolvedFunction& resolved, uint64_t constants, uint64_t limit,
                 DiagnosticSink& sink) {
  const FunctionMemory memory = MemoryOf(resolved.function);
  const uint64_t total = constants + memory.total();
  if (total <= limit) return;
  const bool ports_alone = resolved.operations.empty() && !resolved.function.inputs.empty();
  if (resolved.operations.empty() && !ports_alone) return;  // then a constant was too much
  const Span at = ports_alone ? resolved.values[resolved.function.inputs[0]].name
                              : resolved.operations[memory.operation].op;
  sink.Error(Code::kProgramTooLarge, at,
             absl::StrCat("function ", Shown(resolved.function.name), " takes ", total,
                          " bytes here (inputs and states ", memory.ports, ", constants ",
                          constants + memory.compiled, ", results needed at once ", memory.peak,
                          "), over the limit of ", limit, " (program_bytes)"),
             "split the program, or make its tensors smaller");
}

std::shared_ptr<const Program> CheckProgram(const ProgramSource& source, const SourceText& text,
                                            const ProgramSyntax& syntax, MissingWeights missing,
                                            const FrontEndLimits& limits, DiagnosticSink& sink) {
  auto program = std::make_shared<Program>();
  program->name = source.name;
  ConstantReader constants(text, syntax, source.weights, missing, limits, sink);
  Folder folder;
  absl::flat_hash_map<std::string_view, Span> names;
  for (const FunctionSyntax& function : syntax.functions) {
    if (sink.full()) break;
    const auto [first, fresh] = names.emplace(text.Text(function.name), function.name);
    if (!fresh) {
      sink.Error(Code::kDuplicateFunction, function.name,
                 absl::StrCat("there are two functions named ", Shown(text.Text(function.name))))
          .See(first->second, "the first is here");
    }
    ResolvedFunction resolved = Resolver(text, syntax, constants, sink).Resolve(function);
    InferShapes(resolved, folder, sink);
    if (!sink.full()) CheckFunction(resolved, sink);
    if (!sink.has_errors()) {
      CheckMemory(resolved, constants.constant_bytes(), limits.program_bytes, sink);
    }
    program->functions.push_back(std::move(resolved.function));
  }
  return program;
}

}  // namespace

std::optional<Diagnostic> TextOverLimit(std::string_view text, std::string_view name,
                                        const FrontEndLimits& limits) {
  const uint64_t limit = std::min(limits.text_bytes, kMostText);
  if (text.size() <= limit) return std::nullopt;
  return Diagnostic{.code = CodeName(Code::kTextTooLarge),
                    .message = absl::StrCat("the text has ", text.size(),
                                            " bytes, over the limit of ", limit, " (text_bytes)"),
                    .file = std::string(name)};
}

FrontEndResult Read(const ProgramSource& source, MissingWeights missing,
                    const FrontEndLimits& limits) {
  FrontEndResult result;
  if (std::optional<Diagnostic> refused = TextOverLimit(source.text, source.name, limits)) {
    result.diagnostics.push_back(*std::move(refused));
    return result;
  }
  const SourceText text(source.name, source.text);
  DiagnosticSink sink(text, limits.errors, limits.stopped);
  const Clock::time_point start = Clock::now();
  const ProgramSyntax syntax = Parser(text, limits, sink).Parse();
  result.parse_ns = Since(start);
  const Clock::time_point parsed = Clock::now();
  if (syntax.functions.empty() && !sink.has_errors() && !sink.stopped()) {
    sink.Error(Code::kNoFunction, {0, 1}, "a program needs a function",
               "such as func main<ios18>(...) { ... } -> (y);");
  }
  CheckDuplicates(text, syntax, sink);
  CheckOpsets(text, syntax, sink);
  std::shared_ptr<const Program> program =
      CheckProgram(source, text, syntax, missing, limits, sink);
  result.stopped = sink.stopped();
  if (!result.stopped) {
    if (!sink.has_errors()) result.program = std::move(program);
    result.diagnostics = sink.Take();
  }
  result.check_ns = Since(parsed);
  return result;
}

absl::Status ToStatus(const std::vector<Diagnostic>& diagnostics, absl::StatusCode code) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == Severity::kError) text += RenderText(diagnostic);
  }
  assert(!text.empty());
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return absl::Status(code, text);
}

}  // namespace anex::mil
