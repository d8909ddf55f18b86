#include "client/cli/tensor_summary.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "client/anex/element.h"

namespace anex::cli {
namespace {

template <typename T>
double Load(const char* at) {
  // A bool may hold any byte here: it comes from memory that others write.
  if constexpr (std::is_same_v<T, bool>) return *at != 0 ? 1 : 0;
  T value;
  std::memcpy(&value, at, sizeof(T));
  return static_cast<double>(value);
}

using Loader = double (*)(const char*);

Loader LoaderOf(DType dtype) {
  switch (dtype) {
    case DType::kFp16:
      return Load<Half>;
    case DType::kBf16:
      return Load<Bf16>;
    case DType::kFp32:
      return Load<float>;
    case DType::kFp64:
      return Load<double>;
    case DType::kInt8:
      return Load<int8_t>;
    case DType::kInt16:
      return Load<int16_t>;
    case DType::kInt32:
      return Load<int32_t>;
    case DType::kInt64:
      return Load<int64_t>;
    case DType::kUint8:
      return Load<uint8_t>;
    case DType::kUint16:
      return Load<uint16_t>;
    case DType::kUint32:
      return Load<uint32_t>;
    case DType::kUint64:
      return Load<uint64_t>;
    case DType::kBool:
      return Load<bool>;
    case DType::kInvalid:
      break;
  }
  return nullptr;
}

}  // namespace

TensorSummary Summarize(DType dtype, std::string_view packed, size_t show) {
  TensorSummary summary;
  const Loader load = LoaderOf(dtype);
  if (load == nullptr) return summary;
  const size_t element = ElementSize(dtype);
  double sum = 0;
  uint64_t finite = 0;
  for (size_t at = 0; at + element <= packed.size(); at += element) {
    const double value = load(packed.data() + at);
    ++summary.elements;
    if (summary.first.size() < show) summary.first.push_back(value);
    if (std::isnan(value)) {
      ++summary.nan;
    } else if (std::isinf(value)) {
      ++summary.inf;
    } else {
      summary.min = finite == 0 ? value : std::min(summary.min, value);
      summary.max = finite == 0 ? value : std::max(summary.max, value);
      sum += value;
      ++finite;
    }
  }
  const double none = std::numeric_limits<double>::quiet_NaN();
  if (finite == 0) summary.min = summary.max = none;
  summary.mean = finite == 0 ? none : sum / static_cast<double>(finite);
  return summary;
}

}  // namespace anex::cli
