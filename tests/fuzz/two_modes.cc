#include "tests/fuzz/two_modes.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/device/cpu/cpu_device.h"
#include "server/device/cpu/work_estimate.h"
#include "server/mil/front_end.h"
#include "tests/cpu/ulps.h"
#include "tests/device/harness.h"
#include "tests/device/whole_program.h"
#include "tests/fuzz/allowance.h"

namespace anex::device::cpu {
namespace {

// Half a second of the reference at most, and no more memory than a test may take.
constexpr double kMostWork = 1 << 21;
constexpr int64_t kMostElements = 1 << 18;
constexpr size_t kMostOperations = 400;

using ProgramPtr = std::shared_ptr<const mil::Program>;

bool IsStateful(std::string_view op) {
  return op == "read_state" || op == "write_state" || op == "coreml_update_state";
}

bool IsSmall(const mil::Function& function) {
  double work = 0;
  int64_t elements = 0;
  for (const mil::Value& value : function.values) {
    if (value.type.kind == mil::TypeKind::kString) continue;
    const int64_t count = value.type.tensor.shape.ElementCount();
    if (count > kMostElements || (elements += count) > 4 * kMostElements) return false;
  }
  for (const mil::Operation& operation : function.operations) work += WorkOf(function, operation);
  return work <= kMostWork && function.operations.size() <= kMostOperations;
}

// A function in one of the modes, or why there is none. Nothing here is a test's assertion: the
// fuzzing engine has no use for those.
struct Ran {
  absl::Status status;
  Tensors outputs;
};

class Runner {
 public:
  explicit Runner(uint32_t seed) : device_(MakeCpuDevice({.threads = 1})), seed_(seed) {}

  bool Lacks(const mil::Program& program) const { return !device_->FindLacking(program).empty(); }

  Ran Run(const ProgramPtr& program, const char* mode, const std::string& function,
          const Tensors& given) {
    const absl::StatusOr<Artifact> artifact = device_->Compile(program, {{"numerics", mode}});
    if (!artifact.ok()) return {artifact.status(), {}};
    const absl::StatusOr<std::shared_ptr<Executable>> executable = device_->Load(*artifact);
    if (!executable.ok()) return {executable.status(), {}};
    for (size_t i = 0; i < (*executable)->functions().size(); ++i) {
      if ((*executable)->functions()[i].name == function) return RunOne(**executable, i, given);
    }
    return {absl::InternalError("the function is gone"), {}};
  }

 private:
  Ran RunOne(Executable& executable, size_t function, const Tensors& given) {
    const FunctionInfo& info = executable.functions()[function];
    const std::vector<BoundPort> ports = MemoryFor(info);
    for (const BoundPort& port : ports) {
      const PortInfo& known = info.ports[port.port];
      if (known.direction != PortDirection::kInput) continue;
      const auto found = given.find(known.name);
      const Tensor tensor = found == given.end() ? InputFor(known, port.port) : found->second;
      std::ranges::copy(tensor.bytes, port.region->data());
    }
    const absl::StatusOr<std::unique_ptr<Request>> request = executable.Prepare(function, ports);
    if (!request.ok()) return {request.status(), {}};
    const absl::StatusOr<RunStats> stats = (*request)->Run();
    if (!stats.ok()) return {stats.status(), {}};
    Ran ran;
    for (const BoundPort& port : ports) {
      const PortInfo& known = info.ports[port.port];
      if (known.direction != PortDirection::kOutput) continue;
      Tensor& tensor = ran.outputs[known.name] = {port.layout.dtype, port.layout.shape, {}};
      const auto size = static_cast<size_t>(tensor.elements()) * ElementSize(tensor.dtype);
      tensor.bytes.assign(port.region->data(), port.region->data() + size);
    }
    return ran;
  }

 public:
  // The same for the same text and port, in every run.
  Tensor InputFor(const PortInfo& port, uint32_t number) const {
    const TensorLayout& layout = port.layout;
    const uint32_t seed = seed_ + number;
    Tensor tensor = NoiseTensor(layout.dtype, layout.shape, seed);
    std::vector<double> values = ValuesOf(tensor);
    if (!IsFloat(layout.dtype)) {
      if (layout.dtype == DType::kBool) return tensor;
      for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>((i + seed) % 4);
    } else if (seed_ % 4 == 0) {
      constexpr double kInf = std::numeric_limits<double>::infinity();
      constexpr double kEdges[] = {
          kInf, -kInf, std::numeric_limits<double>::quiet_NaN(), -0.0, 0.0, 0x1p-24, 60000};
      for (size_t i = seed % 5; i < values.size(); i += 5) values[i] = kEdges[(i + seed) % 7];
    }
    return MakeTensor(layout.dtype, layout.shape, values);
  }

 private:
  const std::unique_ptr<Device> device_;
  const uint32_t seed_;
};

uint32_t SeedOf(const std::string& text) {
  uint32_t seed = 2166136261u;  // FNV-1a
  for (const char c : text) seed = (seed ^ static_cast<uint8_t>(c)) * 16777619u;
  return seed;
}

ProgramPtr ProgramOf(mil::Function function) {
  auto program = std::make_shared<mil::Program>();
  program->functions.push_back(std::move(function));
  return program;
}

// The function with every tensor that it computes for an output.
mil::Function Exposed(const mil::Function& function) {
  mil::Function exposed = function;
  const std::set<mil::ValueId> already(function.outputs.begin(), function.outputs.end());
  for (const mil::Operation& operation : function.operations) {
    for (const mil::ValueId id : operation.results) {
      if (!already.contains(id)) exposed.outputs.push_back(id);
    }
  }
  return exposed;
}

// `operation` alone, of operands that come in; weights are unpacked where it needs them.
class Alone {
 public:
  Alone(const mil::Function& function, const mil::Operation& operation)
      : function_(function),
        alone_{.name = function.name, .opset = function.opset, .values = function.values} {
    for (const mil::Operation& other : function.operations) {
      for (const mil::ValueId id : other.results) producers_[id] = &other;
    }
    Take(operation);
    alone_.outputs.assign(operation.results.begin(), operation.results.end());
  }

  mil::Function function() { return std::move(alone_); }

 private:
  void Take(const mil::Operation& operation) {
    for (const mil::Argument& argument : operation.arguments) {
      for (const mil::ValueId id : argument.values) TakeOperand(id);
    }
    alone_.operations.push_back(operation);
  }
  void TakeOperand(mil::ValueId id) {
    if (function_.value(id).constant != nullptr || !taken_.insert(id).second) return;
    const auto producer = producers_.find(id);
    if (producer != producers_.end() && producer->second->op.starts_with("constexpr_")) {
      Take(*producer->second);
    } else {
      alone_.inputs.push_back(id);
    }
  }

  const mil::Function& function_;
  mil::Function alone_;
  std::map<mil::ValueId, const mil::Operation*> producers_;
  std::set<mil::ValueId> taken_;
};

bool SameNumber(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// "" if they agree.
std::string Differ(const Tensor& right, const Tensor& found, const Allowance& allowance) {
  const std::vector<double> want = ValuesOf(right), have = ValuesOf(found);
  if (std::isinf(allowance.slack)) return "";
  const bool exact = !IsFloat(right.dtype);  // nor does a double hold every whole number
  for (size_t i = 0; i < want.size(); ++i) {
    if (exact) {
      if (UlpsApart(right, found, static_cast<int64_t>(i)) == 0) continue;
      return absl::StrCat("element ", i, " of ", right.shape.ToString(), ": reference ", want[i],
                          ", default ", have[i], ", other bits");
    }
    if (allowance.signed_zeros && ZerosDiffer(want[i], have[i])) {
      return absl::StrCat("element ", i, ": a zero of the other sign than ", want[i]);
    }
    if (SameNumber(want[i], have[i])) continue;
    const bool counted = right.dtype == DType::kFp16 || right.dtype == DType::kFp32;
    const int64_t apart = counted ? UlpsApart(right, found, static_cast<int64_t>(i)) : INT64_MAX;
    if (apart <= allowance.ulps || std::fabs(want[i] - have[i]) <= allowance.slack) continue;
    return absl::StrCat("element ", i, " of ", right.shape.ToString(), ": reference ", want[i],
                        ", default ", have[i], ", ", apart, " units apart, allowed are ",
                        allowance.ulps, " or ", allowance.slack);
  }
  return "";
}

class FunctionComparison {
 public:
  FunctionComparison(const ProgramPtr& program, const mil::Function& function, Runner& runner)
      : program_(program), function_(function), runner_(runner) {}

  Comparison Compare() {
    const Ran plain = runner_.Run(program_, "default", function_.name, {});
    const Ran reference = runner_.Run(program_, "reference", function_.name, {});
    if (plain.status.code() != reference.status.code()) {
      return {Outcome::kRan, 0,
              absl::StrCat("default: ", plain.status.ToString(),
                           "; reference: ", reference.status.ToString())};
    }
    if (!plain.status.ok()) return Lacking(plain.status);
    const Ran exposed = runner_.Run(ProgramOf(Exposed(function_)), "default", function_.name, {});
    if (!exposed.status.ok())
      return {Outcome::kRan, 0, absl::StrCat("exposed: ", exposed.status.ToString())};
    for (const auto& [name, tensor] : plain.outputs) {
      const auto found = exposed.outputs.find(name);
      if (found == exposed.outputs.end() || found->second.bytes == tensor.bytes) continue;
      return {Outcome::kRan, 0, absl::StrCat(name, " has other bits when everything is an output")};
    }
    CompareOperations(exposed.outputs);
    return result_;
  }

 private:
  static Comparison Lacking(const absl::Status& status) {
    if (absl::IsUnimplemented(status) || absl::IsResourceExhausted(status))
      return {Outcome::kLacking, 0, ""};
    return {Outcome::kRan, 0, status.ToString()};
  }

  void CompareOperations(const Tensors& computed) {
    Tensors values = computed;
    uint32_t number = 0;
    for (const mil::ValueId id : function_.inputs) {
      const mil::Value& value = function_.value(id);
      if (value.type.kind != mil::TypeKind::kTensor) continue;
      // Ports are numbered as inputs are, states behind them.
      const TensorLayout layout =
          *MakePackedLayout(value.type.tensor.dtype, value.type.tensor.shape);
      values[value.name] = runner_.InputFor({value.name, PortDirection::kInput, layout}, number++);
    }
    result_.outcome = Outcome::kRan;
    for (const mil::Operation& operation : function_.operations) {
      if (IsStateful(operation.op) || operation.op.starts_with("constexpr_")) continue;
      if (result_.difference.empty()) CompareOne(operation, values);
    }
  }

  void CompareOne(const mil::Operation& operation, const Tensors& values) {
    const Ran alone = runner_.Run(ProgramOf(Alone(function_, operation).function()), "reference",
                                  function_.name, values);
    if (!alone.status.ok()) {
      result_.difference = absl::StrCat(operation.op, " alone: ", alone.status.ToString());
      return;
    }
    ++result_.operations;
    const Allowance allowance = AllowanceOf(function_, operation, values);
    for (const mil::ValueId id : operation.results) {
      const std::string& name = function_.value(id).name;
      const std::string differ = Differ(alone.outputs.at(name), values.at(name), allowance);
      if (differ.empty()) continue;
      result_.difference = absl::StrCat(operation.op, " (line ", operation.where.line, "), result ",
                                        name, ", ", differ);
      return;
    }
  }

  const ProgramPtr& program_;
  const mil::Function& function_;
  Runner& runner_;
  Comparison result_;
};

}  // namespace

Comparison CompareModes(const std::string& text) {
  // Without weights first: those of a program that is too large are not even made up.
  const ProgramPtr sizes =
      mil::Read({.name = "fuzz.mil", .text = text}, mil::MissingWeights::kNote).program;
  if (sizes == nullptr) return {};
  if (!std::ranges::all_of(sizes->functions, IsSmall)) return {Outcome::kTooLarge, 0, ""};
  Runner runner(SeedOf(text));
  runner.Lacks(*sizes);  // an answer, whatever it is: check asks without weights too
  const ProgramPtr program = mil::Read(SourceOf("fuzz.mil", text)).program;
  if (program == nullptr) return {};
  const bool lacking = runner.Lacks(*program);
  Comparison all{Outcome::kRan, 0, ""};
  for (const mil::Function& function : program->functions) {
    const Comparison one = FunctionComparison(program, function, runner).Compare();
    all.operations += one.operations;
    if (lacking && one.outcome == Outcome::kRan && one.difference.empty()) {
      all.difference = "it ran, but check says that the device lacks some of it";
      return all;
    }
    if (one.outcome != Outcome::kRan) all.outcome = one.outcome;
    if (one.difference.empty()) continue;
    all.difference = absl::StrCat("function ", function.name, ": ", one.difference);
    return all;
  }
  return all;
}

}  // namespace anex::device::cpu
