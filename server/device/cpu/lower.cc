#include "server/device/cpu/lower.h"

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/device/cpu/alias.h"
#include "server/device/cpu/call_scope.h"
#include "server/device/cpu/kernels/copy.h"
#include "server/device/cpu/memory_plan.h"
#include "server/device/cpu/op_site.h"
#include "server/device/cpu/op_table.h"
#include "server/device/cpu/work_estimate.h"

namespace anex::device::cpu {
namespace {

// The account has said no. Thrown and caught in here: constants are placed deep in what kernels ask
// about their operands.
struct NoMemory {
  absl::Status status;
};

class Lowering final : public OpSite::Values {
 public:
  Lowering(const mil::Function& function, NumericsMode mode, int slots, FoldingBudget& budget,
           std::shared_ptr<MemoryAccount> account)
      : function_(function),
        mode_(mode),
        slots_(slots),
        budget_(budget),
        where_(function.values.size()) {
    plan_.memory = MemoryHold(std::move(account));
  }

  absl::StatusOr<Plan> Run(const FunctionInfo& ports) {
    try {
      return TryRun(ports);
    } catch (const NoMemory& refused) {
      return refused.status;
    }
  }

  View ViewOf(mil::ValueId id) override { return Where(id).view; }

  void MakeContiguous(mil::ValueId id) override {
    const Operand from = Where(id);
    if (IsContiguous(from.view)) return;
    const Operand to = NewValue(from.view.dtype, from.view.shape);
    AddStep(MakeCopyKernel(from.view), {from}, {to});
    where_[id] = to;
  }

  const std::byte* ConstantOf(mil::ValueId id) override {
    if (!IsKnown(id)) return nullptr;
    return plan_.buffers[Where(id).buffer].constant;
  }

 private:
  absl::StatusOr<Plan> TryRun(const FunctionInfo& ports) {
    PlaceInputs(ports);
    for (const mil::Operation& operation : function_.operations) {
      CallScope::Poll();
      if (absl::Status status = LowerOperation(operation); !status.ok()) return status;
    }
    PlaceOutputs(ports);
    PlaceArena();
    return std::move(plan_);
  }

  void Take(uint64_t bytes) {
    if (absl::Status taken = plan_.memory.Take(bytes); !taken.ok()) throw NoMemory{taken};
  }

  uint32_t AddBuffer(Buffer buffer) {
    plan_.buffers.push_back(buffer);
    return static_cast<uint32_t>(plan_.buffers.size() - 1);
  }

  Operand NewValue(DType dtype, const Shape& shape) {
    const View view = PackedView(dtype, shape);
    return {AddBuffer({Place::kArena, view.bytes()}), view};
  }

  Operand PortOperand(uint32_t port, const mil::TensorType& type) {
    const View view = PackedView(type.dtype, type.shape);
    return {AddBuffer({Place::kPort, view.bytes(), 0, port}), view};
  }

  Operand ConstantOperand(const mil::TensorType& type, const std::byte* bytes) {
    const View view = PackedView(type.dtype, type.shape);
    return {AddBuffer({Place::kConstant, view.bytes(), 0, 0, bytes}), view};
  }

  void AddStep(std::unique_ptr<Kernel> kernel, std::vector<Operand> in, std::vector<Operand> out) {
    Step step{std::move(kernel), std::move(in), std::move(out), -1};
    if (const uint64_t bytes = step.kernel->scratch_bytes(slots_); bytes > 0) {
      step.scratch = static_cast<int32_t>(AddBuffer({Place::kArena, bytes}));
    }
    plan_.steps.push_back(std::move(step));
  }

  bool IsKnown(mil::ValueId id) const {
    const mil::Value& value = function_.value(id);
    if (value.constant != nullptr) return value.type.kind == mil::TypeKind::kTensor;
    return where_[id].has_value() && plan_.buffers[where_[id]->buffer].place == Place::kConstant;
  }

  // Memory of this many bytes that lives as long as the plan.
  std::byte* Own(uint64_t bytes) {
    Take(bytes);
    plan_.owned.push_back(std::make_unique<std::byte[]>(bytes));
    return plan_.owned.back().get();
  }

  // A weight file may put a constant at any byte; kernels want whole elements.
  const std::byte* Aligned(const mil::Constant& constant) {
    const std::byte* bytes = constant.bytes().data();
    const size_t element = ElementSize(constant.type().tensor.dtype);
    if (reinterpret_cast<uintptr_t>(bytes) % element == 0) return bytes;
    std::byte* copy = Own(constant.bytes().size());
    std::memcpy(copy, bytes, constant.bytes().size());
    return copy;
  }

  const Operand& Where(mil::ValueId id) {
    std::optional<Operand>& where = where_[id];
    if (!where.has_value()) {  // inputs and results have been placed: it is a constant
      const mil::Constant& constant = *function_.value(id).constant;
      where = ConstantOperand(constant.type().tensor, Aligned(constant));
    }
    return *where;
  }

  void PlaceInputs(const FunctionInfo& ports) {
    std::unordered_map<std::string_view, uint32_t> by_name;
    for (uint32_t port = 0; port < ports.ports.size(); ++port) {
      if (ports.ports[port].direction == PortDirection::kOutput) continue;
      by_name.emplace(ports.ports[port].name, port);
    }
    for (const mil::ValueId id : function_.inputs) {
      const mil::Value& value = function_.value(id);
      const auto port = by_name.find(value.name);
      if (port != by_name.end()) where_[id] = PortOperand(port->second, value.type.tensor);
    }
  }

  absl::Status LowerOperation(const mil::Operation& operation) {
    if (IsStateOp(operation.op)) return LowerState(operation);
    const OpEntry* entry = FindOpEntry(operation.op);
    OpSite site(function_, operation, *this);
    if (entry == nullptr) return site.Unsupported("there is no such kernel");
    const bool folded = Folds(operation);
    if (absl::Status status = CheckSizes(operation, folded); !status.ok()) return status;
    if (folded) return Fold(*entry, operation);
    if (mode_ == NumericsMode::kDefault) {
      if (std::optional<Alias> alias = AliasOf(site)) return PlaceAlias(operation, *alias);
      if (entry->fast != nullptr) {
        MadeKernel made = MakeFast(*entry, operation, site);
        if (!made.ok()) return made.status();
        if (*made != nullptr) return Place(operation, site, *std::move(made));
      }
    }
    OpSite plain(function_, operation, *this);
    MadeKernel made = entry->reference(plain);
    if (!made.ok()) return made.status();
    return Place(operation, plain, *std::move(made));
  }

  // What a fast kernel keeps is its constant operands, widened: that much is taken before, and what
  // it did not need is given back.
  MadeKernel MakeFast(const OpEntry& entry, const mil::Operation& operation, OpSite& site) {
    uint64_t most = 0;
    for (const mil::Argument& argument : operation.arguments) {
      for (const mil::ValueId id : argument.values) {
        if (!IsKnown(id)) continue;
        const Shape& shape = function_.value(id).type.tensor.shape;
        most += static_cast<uint64_t>(shape.ElementCount()) * sizeof(float);
      }
    }
    Take(most);
    MadeKernel made = entry.fast(site);
    const uint64_t kept = made.ok() && *made != nullptr ? (*made)->resident_bytes() : 0;
    if (kept > most) Take(kept - most);
    if (kept < most) plan_.memory.Give(most - kept);
    return made;
  }

  absl::Status CheckSizes(const mil::Operation& operation, bool folded) const {
    uint64_t bytes = folded ? plan_.memory.bytes() : 0;
    for (const mil::ValueId id : operation.results) {
      const mil::TensorType& type = function_.value(id).type.tensor;
      bytes += PackedView(type.dtype, type.shape).bytes();
      if (bytes <= kMaxBytes) continue;
      return absl::ResourceExhaustedError(
          absl::StrCat("operation '", operation.op, "' (line ", operation.where.line,
                       "): ", folded ? "the program's computed constants" : "its result",
                       " would take ", bytes, " bytes; the cpu device's limit is ", kMaxBytes));
    }
    return absl::OkStatus();
  }

  absl::Status Place(const mil::Operation& operation, const OpSite& site,
                     std::unique_ptr<Kernel> kernel) {
    std::vector<Operand> in, out;
    // Each operand with the view that the kernel was made for.
    for (size_t i = 0; i < site.inputs().size(); ++i) {
      in.push_back({Where(site.inputs()[i]).buffer, site.input_views()[i]});
    }
    for (const mil::ValueId id : operation.results) {
      const mil::TensorType& type = function_.value(id).type.tensor;
      where_[id] = NewValue(type.dtype, type.shape);
      out.push_back(*where_[id]);
    }
    AddStep(std::move(kernel), std::move(in), std::move(out));
    return absl::OkStatus();
  }

  absl::Status PlaceAlias(const mil::Operation& operation, const Alias& alias) {
    const uint32_t buffer = Where(operation.Single(alias.argument)).buffer;
    for (size_t i = 0; i < operation.results.size(); ++i) {
      where_[operation.results[i]] = Operand{buffer, alias.results[i]};
    }
    return absl::OkStatus();
  }

  // A state is read by copying it: a later write must not change what was read.
  absl::Status LowerState(const mil::Operation& operation) {
    if (operation.op == "coreml_update_state") {
      const Operand value = Where(operation.Single("value"));
      AddStep(MakeCopyKernel(value.view), {value}, {Where(operation.Single("state"))});
      where_[operation.results[0]] = value;
      return absl::OkStatus();
    }
    const Operand state = Where(operation.Single("input"));
    if (operation.op == "write_state") {
      const Operand data = Where(operation.Single("data"));
      AddStep(MakeCopyKernel(data.view), {data}, {state});
      return absl::OkStatus();
    }
    const Operand read = NewValue(state.view.dtype, state.view.shape);
    AddStep(MakeCopyKernel(state.view), {state}, {read});
    where_[operation.results[0]] = read;
    return absl::OkStatus();
  }

  bool AllKnown(const mil::Operation& operation) const {
    for (const mil::Argument& argument : operation.arguments) {
      for (const mil::ValueId id : argument.values) {
        if (function_.value(id).constant == nullptr && !IsKnown(id)) return false;
      }
    }
    return true;
  }

  // True if Load does it, once, rather than every run. Weights are unpacked in any case: that is
  // bounded by their files and by the memory that the results may take.
  bool Folds(const mil::Operation& operation) {
    if (!AllKnown(operation)) return false;
    if (operation.op.starts_with("constexpr_")) return true;
    const double work = WorkOf(function_, operation);
    if (work > budget_.left) return false;
    budget_.left -= work;
    return true;
  }

  // Runs an operation on constants now, once, in either mode by the reference.
  absl::Status Fold(const OpEntry& entry, const mil::Operation& operation) {
    OpSite site(function_, operation, *this);
    MadeKernel made = entry.reference(site);
    if (!made.ok()) return made.status();
    std::vector<Operand> operands;
    std::vector<TensorRef> in, out;
    for (const mil::ValueId id : site.inputs()) operands.push_back(Where(id));
    for (const mil::ValueId id : operation.results) {
      const mil::TensorType& type = function_.value(id).type.tensor;
      where_[id] = ConstantOperand(type, Own(PackedView(type.dtype, type.shape).bytes()));
      operands.push_back(*where_[id]);
    }
    for (size_t i = 0; i < operands.size(); ++i) {
      // The results among them point at memory of our own.
      auto* data = const_cast<std::byte*>(plan_.buffers[operands[i].buffer].constant);
      (i < site.inputs().size() ? in : out).push_back({data, &operands[i].view});
    }
    const uint64_t scratch_bytes = (*made)->scratch_bytes(1);
    Take(scratch_bytes);
    {
      std::vector<std::byte> scratch(scratch_bytes);
      (*made)->Run({in, out, scratch.data(), nullptr});
    }
    plan_.memory.Give(scratch_bytes);
    return absl::OkStatus();
  }

  // A result that fills its buffer is written straight into the port; anything else (a view, an
  // input handed through, a constant, a second name for one value) is copied there.
  void PlaceOutputs(const FunctionInfo& ports) {
    uint32_t port = static_cast<uint32_t>(ports.ports.size() - function_.outputs.size());
    for (const mil::ValueId id : function_.outputs) {
      const Operand from = Where(id);
      Buffer& buffer = plan_.buffers[from.buffer];
      if (buffer.place == Place::kArena && from.view.bytes() == buffer.bytes &&
          IsContiguous(from.view)) {
        buffer.place = Place::kPort;
        buffer.port = port;
      } else {
        AddStep(MakeCopyKernel(from.view), {from},
                {PortOperand(port, function_.value(id).type.tensor)});
      }
      ++port;
    }
  }

  void PlaceArena() {
    std::vector<uint32_t> buffers;  // those that live in the arena
    std::vector<Lifetime> lifetimes;
    std::map<uint32_t, size_t> index;
    const auto touch = [&](uint32_t buffer, int step) {
      if (plan_.buffers[buffer].place != Place::kArena) return;
      const auto [at, fresh] = index.try_emplace(buffer, lifetimes.size());
      if (fresh) {
        buffers.push_back(buffer);
        lifetimes.push_back({plan_.buffers[buffer].bytes, step, step});
      }
      lifetimes[at->second].last = step;
    };
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      for (const Operand& operand : step.in) touch(operand.buffer, static_cast<int>(i));
      for (const Operand& operand : step.out) touch(operand.buffer, static_cast<int>(i));
      if (step.scratch >= 0) touch(static_cast<uint32_t>(step.scratch), static_cast<int>(i));
    }
    // The reference shares no memory: one way less to be wrong.
    const MemoryPlan memory =
        mode_ == NumericsMode::kReference ? PlanApart(lifetimes) : PlanMemory(lifetimes);
    for (size_t i = 0; i < buffers.size(); ++i)
      plan_.buffers[buffers[i]].offset = memory.offsets[i];
    plan_.arena_bytes = memory.arena_bytes;
  }

  const mil::Function& function_;
  const NumericsMode mode_;
  const int slots_;
  FoldingBudget& budget_;
  Plan plan_;
  std::vector<std::optional<Operand>> where_;
};

}  // namespace

absl::Status CheckSupported(const mil::Function& function) {
  for (const mil::Operation& operation : function.operations) {
    if (IsStateOp(operation.op) || FindOpEntry(operation.op) != nullptr) continue;
    return absl::UnimplementedError(absl::StrCat("the cpu device does not support operation '",
                                                 operation.op, "' (function '", function.name,
                                                 "', line ", operation.where.line, ")"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Plan> Lower(const mil::Function& function, const FunctionInfo& ports,
                           NumericsMode mode, int slots, FoldingBudget& budget,
                           std::shared_ptr<MemoryAccount> account) {
  return Lowering(function, mode, slots, budget, std::move(account)).Run(ports);
}

}  // namespace anex::device::cpu
