#include "server/engine/compile/check_program.h"

#include <algorithm>
#include <utility>

#include "server/device/port.h"
#include "server/mil/diagnostic.h"

namespace anex::engine {
namespace {

constexpr size_t kMostLacking = 100;  // findings of one program

// The checker lets no tensor through that has no layout; one too big to be bound has none.
absl::StatusOr<TensorLayout> PackedOrNone(DType dtype, const Shape& shape) {
  return MakePackedLayout(dtype, shape).value_or(TensorLayout{});
}

}  // namespace

std::vector<FunctionInfo> FunctionsOf(const mil::Program& program) {
  std::vector<FunctionInfo> functions;
  for (const mil::Function& function : program.functions) {
    functions.push_back(*device::DescribePorts(function, PackedOrNone));
  }
  return functions;
}

std::vector<Diagnostic> LackingOf(const mil::Program& program, const ProgramSource& source,
                                  const device::Device& device) {
  std::vector<Diagnostic> findings;
  const std::vector<device::Lacking> lacking = device.FindLacking(program);
  if (lacking.empty()) return findings;
  const mil::SourceText text(source.name, source.text);
  for (const device::Lacking& each : lacking) {
    if (findings.size() >= kMostLacking) break;
    const mil::Span at{text.OffsetOf({each.where.line, each.where.column}), each.where.length};
    findings.push_back(mil::MakeDiagnostic(text, Severity::kError,
                                           mil::CodeName(mil::Code::kNotOnDevice), at, each.what));
  }
  return findings;
}

CheckedProgram CheckProgram(const ProgramSource& source, mil::MissingWeights missing,
                            const mil::FrontEndLimits& limits, const device::Device* device) {
  mil::FrontEndResult read = mil::Read(source, missing, limits);
  CheckedProgram checked{.program = std::move(read.program),
                         .diagnostics = std::move(read.diagnostics),
                         .stopped = read.stopped};
  if (checked.program == nullptr || device == nullptr) return checked;
  std::vector<Diagnostic> lacking = LackingOf(*checked.program, source, *device);
  checked.lacking = !lacking.empty();
  std::ranges::move(lacking, std::back_inserter(checked.diagnostics));
  std::ranges::stable_sort(checked.diagnostics, {}, [](const Diagnostic& diagnostic) {
    return std::pair(diagnostic.line, diagnostic.column);
  });
  return checked;
}

}  // namespace anex::engine
