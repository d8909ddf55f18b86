#include "server/mil/front_end.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/values/hash_map.h"
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

// Makes the program while its text is read. A statement is resolved, checked and forgotten before
// the next ones are read: a large program costs its own memory and no tree's besides.
class ProgramMaker : public StatementReader {
 public:
  // `syntax` is the parser's: of its statements only those at hand are there.
  ProgramMaker(const ProgramSource& source, const SourceText& text, const ProgramSyntax& syntax,
               MissingWeights missing, const FrontEndLimits& limits, DiagnosticSink& sink)
      : text_(text),
        limits_(limits),
        sink_(sink),
        constants_(text, syntax, source.weights, missing, limits, sink),
        resolver_(text, syntax, constants_, sink) {
    program_->name = source.name;
  }

  void BeginProgram(const ProgramSyntax& program) override {
    CheckDuplicates(text_, program.attributes, sink_);
  }

  void BeginFunction(const FunctionSyntax& head) override {
    const Clock::time_point start = Clock::now();
    CheckDuplicates(text_, head.attributes, sink_);
    const auto [first, fresh] = names_.emplace(text_.Text(head.name), head.name);
    if (!fresh) {
      sink_
          .Error(Code::kDuplicateFunction, head.name,
                 absl::StrCat("there are two functions named ", Shown(text_.Text(head.name))))
          .See(first->second, "the first is here");
    }
    opset_ = CheckOpset(text_, head, sink_);
    resolver_.Begin(head);
    check_ns_ += Since(start);
  }

  void ReadOperations(std::span<const OperationSyntax> operations) override {
    const Clock::time_point start = Clock::now();
    for (const OperationSyntax& operation : operations) {
      if (sink_.full()) break;
      CheckDuplicates(text_, operation, sink_);
      if (opset_.has_value()) CheckOpset(text_, operation, *opset_, sink_);
      if (resolver_.Resolve(operation)) InferShapes(resolver_.resolved(), folder_, sink_);
    }
    check_ns_ += Since(start);
  }

  void EndFunction(const FunctionSyntax& function) override {
    const Clock::time_point start = Clock::now();
    resolver_.End(function);
    ResolvedFunction& resolved = resolver_.resolved();
    if (!sink_.full()) CheckFunction(resolved, sink_);
    if (!sink_.has_errors()) CheckMemory(resolved);
    program_->functions.push_back(std::move(resolved.function));
    check_ns_ += Since(start);
  }

  std::shared_ptr<const Program> program() const { return program_; }
  bool empty() const { return program_->functions.empty(); }
  int64_t check_ns() const { return check_ns_; }

 private:
  // Points at the operation at which a function is over the limit.
  void CheckMemory(const ResolvedFunction& resolved) {
    const uint64_t constants = constants_.constant_bytes(), limit = limits_.program_bytes;
    if (constants + resolved.value_bytes <= limit) return;  // even if all were needed at once
    const Function& function = resolved.function;
    const FunctionMemory memory = MemoryOf(function);
    const uint64_t total = constants + memory.total();
    if (total <= limit) return;
    const bool ports_alone = function.operations.empty() && !function.inputs.empty();
    if (function.operations.empty() && !ports_alone) return;  // then a constant was too much
    const Span at = ports_alone ? resolved.values[function.inputs[0]].name
                                : SpanOf(function.operations[memory.operation].where);
    sink_.Error(Code::kProgramTooLarge, at,
                absl::StrCat("function ", Shown(function.name), " takes ", total,
                             " bytes here (inputs and states ", memory.ports, ", constants ",
                             constants + memory.compiled, ", results needed at once ", memory.peak,
                             "), over the limit of ", limit, " (program_bytes)"),
                "split the program, or make its tensors smaller");
  }

  Span SpanOf(const SourceRange& range) const {
    return {text_.OffsetOf({range.line, range.column}), range.length};
  }

  const SourceText& text_;
  const FrontEndLimits& limits_;
  DiagnosticSink& sink_;
  ConstantReader constants_;
  Resolver resolver_;
  Folder folder_;
  HashMap<std::string_view, Span> names_;  // of functions
  std::optional<int> opset_;               // of the function at hand
  const std::shared_ptr<Program> program_ = std::make_shared<Program>();
  int64_t check_ns_ = 0;
};

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
  Parser parser(text, limits, sink);
  ProgramMaker maker(source, text, parser.program(), missing, limits, sink);
  parser.ReadAlong(maker);
  if (maker.empty() && !sink.has_errors() && !sink.stopped()) {
    sink.Error(Code::kNoFunction, {0, 1}, "a program needs a function",
               "such as func main<ios18>(...) { ... } -> (y);");
  }
  result.stopped = sink.stopped();
  if (!result.stopped) {
    if (!sink.has_errors()) result.program = maker.program();
    result.diagnostics = sink.Take();
  }
  result.check_ns = maker.check_ns();
  result.parse_ns = Since(start) - result.check_ns;
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
