// Run does not allocate. The operators new of this binary are replaced by counting ones.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "server/device/cpu/cpu_device.h"
#include "tests/device/harness.h"

namespace {
std::atomic<int64_t> allocations{0};

void* TryAllocate(size_t bytes, size_t alignment) noexcept {
  ++allocations;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
}
void* Allocate(size_t bytes, size_t alignment) {
  void* memory = TryAllocate(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
constexpr size_t kAny = alignof(std::max_align_t);
size_t Of(std::align_val_t alignment) { return static_cast<size_t>(alignment); }
// Out of line: inlined, gcc takes the pair new/free for a mistake.
[[gnu::noinline]] void Free(void* memory) { std::free(memory); }
}  // namespace

// All forms, so that memory is never taken from one allocator and given back to another.
void* operator new(size_t bytes) { return Allocate(bytes, kAny); }
void* operator new[](size_t bytes) { return Allocate(bytes, kAny); }
void* operator new(size_t bytes, std::align_val_t a) { return Allocate(bytes, Of(a)); }
void* operator new[](size_t bytes, std::align_val_t a) { return Allocate(bytes, Of(a)); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return TryAllocate(bytes, kAny);
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  return TryAllocate(bytes, kAny);
}
void* operator new(size_t bytes, std::align_val_t a, const std::nothrow_t&) noexcept {
  return TryAllocate(bytes, Of(a));
}
void* operator new[](size_t bytes, std::align_val_t a, const std::nothrow_t&) noexcept {
  return TryAllocate(bytes, Of(a));
}
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete[](void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t) noexcept { Free(memory); }
void operator delete[](void* memory, size_t) noexcept { Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { Free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { Free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { Free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { Free(memory); }

namespace anex::device::cpu {
namespace {

class AllocationTest : public ::testing::TestWithParam<const char*> {};

TEST_P(AllocationTest, ARunAfterTheFirstAllocatesNothing) {
  const auto program =
      ReadProgram(MainText("tensor<fp16, [1, 96, 1, 300]> x, tensor<fp16, [1, 130, 96]> w",
                           "    tensor<fp16, [1, 96, 300]> x3 = reshape(x = x, shape = "
                           "tensor<int32, [3]>([1, 96, 300]));\n"
                           "    tensor<fp16, [1, 130, 300]> a = matmul(x = w, y = x3);\n"
                           "    tensor<fp16, [1, 300, 130]> t = transpose(x = a, perm = "
                           "tensor<int32, [3]>([0, 2, 1]));\n"
                           "    tensor<fp16, [1, 300, 130]> p = softmax(x = t, axis = int32(-1));\n"
                           "    tensor<fp16, [1, 300, 1]> m = reduce_mean(x = p, axes = "
                           "tensor<int32, [1]>([2]), keep_dims = bool(true));\n"
                           "    tensor<fp16, [1, 300, 130]> d = sub(x = p, y = m);\n"
                           "    tensor<fp16, [1, 300, 130]> s = scaled_dot_product_attention(query "
                           "= d, key = d, value = d);\n"
                           "    tensor<fp16, [1, 600, 130]> y = concat(values = (d, s), axis = "
                           "int32(1), interleave = bool(false));\n",
                           "y"));
  const auto device = MakeCpuDevice({.threads = 2});
  Bound bound(*device, program, {{"numerics", GetParam()}});
  ASSERT_TRUE(bound.ok());
  bound.Run({{"x", NoiseTensor(DType::kFp16, {1, 96, 1, 300}, 1)},
             {"w", NoiseTensor(DType::kFp16, {1, 130, 96}, 2)}});
  const int64_t before = allocations;
  ASSERT_GT(before, 0) << "the counting operators are not in use";
  const int runs = GetParam() == std::string_view("default") ? 20 : 1;
  for (int i = 0; i < runs; ++i) EXPECT_TRUE(bound.request().Run().ok());
  EXPECT_EQ(allocations, before);
}

INSTANTIATE_TEST_SUITE_P(Modes, AllocationTest, ::testing::Values("default", "reference"));

}  // namespace
}  // namespace anex::device::cpu
