#include "server/device/cpu/kernels/reader.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "proto/wire/half.h"

namespace anex::device::cpu {
namespace {

float ReadOne(DType dtype, const std::byte* data, int64_t at) {
  switch (dtype) {
    case DType::kFp16:
      return HalfToFloat(reinterpret_cast<const uint16_t*>(data)[at]);
    case DType::kBool:
      return reinterpret_cast<const uint8_t*>(data)[at] != 0 ? 1.0f : 0.0f;
    default:
      return reinterpret_cast<const float*>(data)[at];
  }
}

}  // namespace

const float* Reader::Load(const std::byte* data, int64_t first, size_t n, float* to) const {
  const int inner = loops_.rank - 1;
  if (inner < 0) {
    std::fill_n(to, n, ReadOne(dtype_, data, 0));
    return to;
  }
  if (inner == 0 && loops_.strides[0] == 1 && dtype_ == DType::kFp32) {
    return reinterpret_cast<const float*>(data) + first;
  }
  std::array<int64_t, kMaxRank> index{};
  int64_t at = 0;
  for (int loop = inner; loop >= 0; --loop) {
    index[loop] = first % loops_.sizes[loop];
    first /= loops_.sizes[loop];
    at += index[loop] * loops_.strides[loop];
  }
  float* next = to;
  for (size_t left = n;;) {
    const auto rest = static_cast<size_t>(loops_.sizes[inner] - index[inner]);
    const size_t run = std::min(left, rest);
    LoadRun(data, at, loops_.strides[inner], run, next);
    next += run;
    left -= run;
    if (left == 0) return to;
    at -= index[inner] * loops_.strides[inner];
    index[inner] = 0;
    for (int loop = inner - 1; loop >= 0; --loop) {
      at += loops_.strides[loop];
      if (++index[loop] < loops_.sizes[loop]) break;
      at -= loops_.sizes[loop] * loops_.strides[loop];
      index[loop] = 0;
    }
  }
}

void Reader::LoadRun(const std::byte* data, int64_t at, int64_t stride, size_t n, float* to) const {
  if (stride == 0) {
    std::fill_n(to, n, ReadOne(dtype_, data, at));
  } else if (stride == 1 && dtype_ == DType::kFp16) {
    ops_.half_to_float(reinterpret_cast<const uint16_t*>(data) + at, to, n);
  } else if (stride == 1 && dtype_ == DType::kFp32) {
    std::memcpy(to, reinterpret_cast<const float*>(data) + at, n * sizeof(float));
  } else {
    for (size_t i = 0; i < n; ++i) {
      to[i] = ReadOne(dtype_, data, at + static_cast<int64_t>(i) * stride);
    }
  }
}

void StoreFloats(const VectorOps& ops, DType dtype, const float* from, std::byte* data,
                 int64_t first, size_t n) {
  if (dtype == DType::kFp16) {
    ops.float_to_half(from, reinterpret_cast<uint16_t*>(data) + first, n);
  } else if (dtype == DType::kBool) {
    auto* to = reinterpret_cast<uint8_t*>(data) + first;
    for (size_t i = 0; i < n; ++i) to[i] = from[i] != 0 ? 1 : 0;
  } else if (reinterpret_cast<float*>(data) + first != from) {
    std::memcpy(reinterpret_cast<float*>(data) + first, from, n * sizeof(float));
  }
}

}  // namespace anex::device::cpu
