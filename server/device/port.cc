#include "server/device/port.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace anex::device {
namespace {

absl::Status AddPort(std::string name, const mil::Value& value, PortDirection direction,
                     const LayoutRule& rule, FunctionInfo& info) {
  absl::StatusOr<TensorLayout> layout = rule(value.type.tensor.dtype, value.type.tensor.shape);
  if (!layout.ok()) {
    return absl::Status(layout.status().code(),
                        absl::StrCat("port '", name, "': ", layout.status().message()));
  }
  info.ports.push_back({std::move(name), direction, *std::move(layout)});
  return absl::OkStatus();
}

// One name is one port: of a value that goes in and comes out, the way out has another.
class OutputNames {
 public:
  explicit OutputNames(const mil::Function& function) {
    for (const mil::ValueId id : function.inputs) taken_.insert(function.value(id).name);
    ports_ = taken_;
    for (const mil::ValueId id : function.outputs) taken_.insert(function.value(id).name);
  }

  std::string Of(const mil::Value& value) {
    if (ports_.insert(value.name).second) return value.name;
    std::string name = value.name;
    do {
      name += "_out";
    } while (!taken_.insert(name).second);
    return name;
  }

 private:
  std::set<std::string, std::less<>> taken_, ports_;
};

absl::Status Refuse(const PortInfo& port, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("port '", port.name, "': ", why));
}

absl::Status CheckOne(const PortInfo& port, const BoundPort& bound) {
  if (bound.region == nullptr) return Refuse(port, "no memory was given");
  if (absl::Status status = CheckLayout(bound.layout); !status.ok()) {
    return Refuse(port, std::string(status.message()));
  }
  if (!SameElements(bound.layout, port.layout)) {
    return Refuse(port, absl::StrCat("is bound to ", bound.layout.ToString(),
                                     " but the device wants ", port.layout.ToString()));
  }
  if (SpanBytes(bound.layout) > bound.region->size()) {
    return Refuse(port, absl::StrCat("needs ", SpanBytes(bound.layout),
                                     " bytes but the region has ", bound.region->size()));
  }
  if (port.direction != PortDirection::kInput &&
      bound.region->access() != shm::RegionAccess::kReadWrite) {
    return Refuse(port, "is written by the program but its region is read-only");
  }
  return absl::OkStatus();
}

// The addresses of the bound elements. Two bindings of one surface start at the same byte, two
// mappings of one file do not: those the engine tells apart by surface, not the device.
struct Range {
  uintptr_t begin, end;
  const PortInfo* port;

  bool written() const { return port->direction != PortDirection::kInput; }
};

std::vector<Range> RangesOf(const FunctionInfo& function, std::span<const BoundPort> ports) {
  std::vector<Range> ranges;
  ranges.reserve(ports.size());
  for (const BoundPort& bound : ports) {
    const auto begin = reinterpret_cast<uintptr_t>(std::as_const(*bound.region).data());
    ranges.push_back({begin, begin + SpanBytes(bound.layout), &function.ports[bound.port]});
  }
  return ranges;
}

// From low addresses to high ones: a range meets an earlier one if and only if it meets the one
// that reaches farthest. Two inputs may share memory.
absl::Status CheckOverlap(const FunctionInfo& function, std::span<const BoundPort> ports) {
  std::vector<Range> ranges = RangesOf(function, ports);
  std::ranges::stable_sort(ranges, {}, &Range::begin);
  const Range *farthest = nullptr, *farthest_written = nullptr;
  for (const Range& range : ranges) {
    const Range* other = range.written() ? farthest : farthest_written;
    if (other != nullptr && range.begin < other->end) {
      const Range &written = range.written() ? range : *other,
                  &shared = range.written() ? *other : range;
      return Refuse(*written.port,
                    absl::StrCat("is written by the program but shares memory with port '",
                                 shared.port->name, "'; give it memory of its own"));
    }
    if (farthest == nullptr || range.end > farthest->end) farthest = &range;
    if (!range.written()) continue;
    if (farthest_written == nullptr || range.end > farthest_written->end) farthest_written = &range;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FunctionInfo> DescribePorts(const mil::Function& function, const LayoutRule& rule) {
  FunctionInfo info{function.name, {}};
  for (const mil::TypeKind kind : {mil::TypeKind::kTensor, mil::TypeKind::kState}) {
    const bool state = kind == mil::TypeKind::kState;
    for (const mil::ValueId id : function.inputs) {
      if (function.value(id).type.kind != kind) continue;
      const auto direction = state ? PortDirection::kState : PortDirection::kInput;
      absl::Status status =
          AddPort(function.value(id).name, function.value(id), direction, rule, info);
      if (!status.ok()) return status;
    }
  }
  OutputNames names(function);
  for (const mil::ValueId id : function.outputs) {
    const mil::Value& value = function.value(id);
    absl::Status status = AddPort(names.Of(value), value, PortDirection::kOutput, rule, info);
    if (!status.ok()) return status;
  }
  return info;
}

absl::Status CheckBindings(const FunctionInfo& function, std::span<const BoundPort> ports) {
  std::vector<bool> bound(function.ports.size(), false);
  for (const BoundPort& one : ports) {
    if (one.port >= function.ports.size()) {
      return absl::InvalidArgumentError(absl::StrCat("function '", function.name, "' has ",
                                                     function.ports.size(),
                                                     " ports; there is no port ", one.port));
    }
    const PortInfo& port = function.ports[one.port];
    if (bound[one.port]) return Refuse(port, "is bound twice");
    bound[one.port] = true;
    if (absl::Status status = CheckOne(port, one); !status.ok()) return status;
  }
  for (size_t i = 0; i < bound.size(); ++i) {
    if (bound[i] || function.ports[i].direction == PortDirection::kState) continue;
    return Refuse(function.ports[i], "is not bound");
  }
  return CheckOverlap(function, ports);
}

}  // namespace anex::device
