#include "server/device/apple/first_run_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/wire/half.h"
#include "server/device/apple/copy_elements.h"
#include "server/device/apple/element_walk.h"

namespace anex::device::apple {
namespace {

template <typename T>
T Load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

double Widen(DType dtype, const std::byte* at) {
  switch (dtype) {
    case DType::kFp16:
      return HalfToDouble(Load<uint16_t>(at));
    case DType::kBf16:
      return Bf16ToDouble(Load<uint16_t>(at));
    case DType::kFp32:
      return Load<float>(at);
    case DType::kFp64:
      return Load<double>(at);
    case DType::kInt8:
      return Load<int8_t>(at);
    case DType::kInt16:
      return Load<int16_t>(at);
    case DType::kInt32:
      return Load<int32_t>(at);
    case DType::kInt64:
      return static_cast<double>(Load<int64_t>(at));
    case DType::kUint8:
      return Load<uint8_t>(at);
    case DType::kUint16:
      return Load<uint16_t>(at);
    case DType::kUint32:
      return Load<uint32_t>(at);
    case DType::kUint64:
      return static_cast<double>(Load<uint64_t>(at));
    case DType::kBool:
      return Load<uint8_t>(at);
    case DType::kInvalid:
      break;
  }
  return 0;
}

double LargestFinite(const TensorLayout& layout, const std::byte* data) {
  double largest = 0;
  ForEachIndex(layout.shape.dims(), [&](const ElementIndex& at) {
    const double value = std::fabs(Widen(layout.dtype, data + OffsetOf(layout, at)));
    if (std::isfinite(value)) largest = std::max(largest, value);
    return true;
  });
  return largest;
}

bool Agree(double expected, double found, double slack) {
  if (std::isnan(expected) || std::isnan(found)) return std::isnan(expected) && std::isnan(found);
  if (std::isinf(expected) || std::isinf(found)) return expected == found;
  return std::fabs(expected - found) <= slack;
}

std::string Spell(const Shape& shape, const ElementIndex& at) {
  return absl::StrCat("[", absl::StrJoin(at.begin(), at.begin() + shape.rank(), ", "), "]");
}

bool SameElementsIn(const TensorLayout& a_layout, const std::byte* a, const TensorLayout& b_layout,
                    const std::byte* b) {
  const size_t element = ElementSize(a_layout.dtype);
  bool same = true;
  ForEachIndex(a_layout.shape.dims(), [&](const ElementIndex& at) {
    same = std::memcmp(a + OffsetOf(a_layout, at), b + OffsetOf(b_layout, at), element) == 0;
    return same;
  });
  return same;
}

const std::byte* DataOf(const BoundPort& port) { return std::as_const(*port.region).data(); }

}  // namespace

absl::Status CompareOutputs(const std::string& port, const TensorLayout& expected_layout,
                            const std::byte* expected, const TensorLayout& found_layout,
                            const std::byte* found) {
  const double slack = IsFloat(expected_layout.dtype)
                           ? kFirstRunTolerance * LargestFinite(expected_layout, expected)
                           : 0;
  absl::Status result;
  ForEachIndex(expected_layout.shape.dims(), [&](const ElementIndex& at) {
    const double right = Widen(expected_layout.dtype, expected + OffsetOf(expected_layout, at));
    const double have = Widen(found_layout.dtype, found + OffsetOf(found_layout, at));
    if (Agree(right, have, slack)) return true;
    result = absl::DataLossError(absl::StrCat(
        "the Neural Engine computed output '", port, "' wrongly: element ",
        Spell(expected_layout.shape, at), " is ", have, ", the program means ", right,
        "; run it on device \"cpu\", and see `anectl check --device ane` for what is known"));
    return false;
  });
  return result;
}

absl::StatusOr<std::unique_ptr<FirstRunCheck>> FirstRunCheck::Make(
    Executable& reference, size_t function, const FunctionInfo& info,
    std::span<const BoundPort> ports) {
  std::unique_ptr<FirstRunCheck> made(new FirstRunCheck);
  const FunctionInfo& wanted = reference.functions()[function];
  std::vector<BoundPort> own;
  for (const BoundPort& port : ports) {
    // Both list the ports in the order of the contract.
    const PortInfo& at_engine = info.ports[port.port];
    const PortInfo& at_reference = wanted.ports[port.port];
    auto region = shm::CreateHeapRegion(at_reference.layout.allocation_bytes);
    if (!region.ok()) return region.status();
    Pair pair{at_engine.name,
              port,
              {port.port, *std::move(region), at_reference.layout},
              at_engine.layout,
              at_reference.layout};
    own.push_back(pair.reference);
    (at_engine.direction == PortDirection::kOutput ? made->outputs_ : made->inputs_)
        .push_back(std::move(pair));
  }
  absl::StatusOr<std::unique_ptr<Request>> request = reference.Prepare(function, own);
  if (!request.ok()) return request.status();
  made->request_ = *std::move(request);
  return made;
}

absl::Status FirstRunCheck::Before() {
  for (const Pair& pair : inputs_) {
    CopyElements(pair.engine_layout, DataOf(pair.engine), pair.reference_layout,
                 pair.reference.region->data());
  }
  return absl::OkStatus();
}

absl::Status FirstRunCheck::After(CallControl& control) {
  for (const Pair& pair : inputs_) {
    if (SameElementsIn(pair.engine_layout, DataOf(pair.engine), pair.reference_layout,
                       DataOf(pair.reference))) {
      continue;
    }
    return absl::AbortedError("inputs changed while the engine ran: nothing can be said");
  }
  absl::StatusOr<RunStats> ran = request_->Run(control);
  if (!ran.ok()) return ran.status();
  for (const Pair& pair : outputs_) {
    absl::Status agrees = CompareOutputs(pair.name, pair.reference_layout, DataOf(pair.reference),
                                         pair.engine_layout, DataOf(pair.engine));
    if (!agrees.ok()) return agrees;
  }
  return absl::OkStatus();
}

}  // namespace anex::device::apple
