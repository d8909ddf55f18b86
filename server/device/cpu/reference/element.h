// One element of any type, widened to double or int64 and rounded back once. For the reference: the
// type is looked at for every element, which is slow and cannot be wrong.
//
// Threads: any. Every function but Position polls the caller's CallScope, so that no loop over
// elements, however long, is one that cannot be stopped.
#ifndef ANEX_SERVER_DEVICE_CPU_REFERENCE_ELEMENT_H_
#define ANEX_SERVER_DEVICE_CPU_REFERENCE_ELEMENT_H_

#include <array>
#include <cstdint>

#include "server/device/cpu/kernel.h"

namespace anex::device::cpu {

// Element `i` of packed memory.
double GetDouble(const TensorRef& tensor, int64_t i);
int64_t GetInt(const TensorRef& tensor, int64_t i);  // floats truncate
// Rounds to the tensor's type, to nearest even. To integers it truncates toward zero and stops at
// the type's ends; NaN becomes 0. To bool: anything but 0 is true, NaN too.
void PutDouble(const TensorRef& tensor, int64_t i, double value);
// Integers keep the low bits, as everywhere; floats are rounded once. `is_unsigned`: the 64 bits
// are those of a uint64.
void PutInt(const TensorRef& tensor, int64_t i, int64_t value, bool is_unsigned = false);

// Whether what GetInt gives are the bits of a uint64.
inline bool HoldsUint64(const TensorRef& tensor) { return tensor.view->dtype == DType::kUint64; }
inline bool HoldsFloats(const TensorRef& tensor) { return IsFloat(tensor.view->dtype); }

// A position in a shape, one number per axis.
using Index = std::array<int64_t, kMaxRank>;
// Steps to the next position in row-major order; false past the last one.
bool Advance(const Shape& shape, Index& index);
// Where `index` is in packed memory of `shape`. Axes are matched at the right, and an axis of size
// 1 is read again and again: numpy's broadcasting. `rank` is the rank of `index`.
int64_t Position(const Shape& shape, const Index& index, int rank);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_REFERENCE_ELEMENT_H_
