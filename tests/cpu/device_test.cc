#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "server/device/cpu/cpu_device.h"
#include "tests/device/harness.h"
#include "tests/system/processes.h"

namespace anex::device::cpu {
namespace {

class CpuDeviceTest : public ::testing::Test {
 protected:
  const std::unique_ptr<Device> device = MakeCpuDevice({.threads = 2});
};

TEST_F(CpuDeviceTest, UnknownOptionsAndValuesAreRefused) {
  const auto program =
      ReadProgram(MainText("tensor<fp16, [2]> x", "tensor<fp16, [2]> y = relu(x = x);", "y"));
  const absl::Status key = device->Compile(program, {{"precision", "high"}}).status();
  EXPECT_EQ(key, absl::InvalidArgumentError(
                     "the cpu device has no option 'precision'; it has: numerics"));
  const absl::Status value = device->Compile(program, {{"numerics", "fast"}}).status();
  EXPECT_EQ(value,
            absl::InvalidArgumentError("numerics=fast is not known; use default or reference"));
  EXPECT_TRUE(device->Compile(program, {{"numerics", "default"}}).ok());
}

TEST_F(CpuDeviceTest, AnUnsupportedOperationIsNamedWithItsLine) {
  mil::Program program =
      *ReadProgram(MainText("tensor<fp16, [2]> x", "    tensor<fp16, [2]> y = atanh(x = x);", "y"));
  program.functions[0].operations[0].op = "of_tomorrow";
  const absl::Status status =
      device->Compile(std::make_shared<const mil::Program>(program), {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(),
            "the cpu device does not support operation 'of_tomorrow' (function 'main', line 4)");
}

TEST_F(CpuDeviceTest, AnArtifactWithoutAProgramDoesNotLoad) {
  EXPECT_EQ(device->Load({}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(CpuDeviceTest, ReportsTheTimeThatARunTook) {
  const auto program =
      ReadProgram(MainText("tensor<fp16, [200, 300]> x, tensor<fp16, [300, 400]> w",
                           "tensor<fp16, [200, 400]> y = matmul(x = x, y = w);", "y"));
  Bound bound(*device, program);
  const auto stats = bound.request().Run();
  ASSERT_TRUE(stats.ok());
  // 24 million multiplications cannot be done in a microsecond.
  EXPECT_GT(stats->device_ns, 1000);
}

// A batch is computed from its strides: listing half a billion entries would take gigabytes.
TEST_F(CpuDeviceTest, AProductOfVeryManySmallMatricesLoadsAtOnce) {
  const auto program =
      ReadProgram(MainText("tensor<fp32, [536870912, 1, 1]> x",
                           "tensor<fp32, [536870912, 1, 1]> y = matmul(x = x, y = x);", "y"));
  const auto artifact = device->Compile(program, {});
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  const auto executable = device->Load(*artifact);
  ASSERT_TRUE(executable.ok()) << executable.status();
  EXPECT_LT((*executable)->resident_bytes(), 1u << 20);
}

TEST_F(CpuDeviceTest, AnAllocationThatFailsIsAStatus) {
#if defined(ANEX_SANITIZED)
  GTEST_SKIP() << "the sanitizers need more addresses than the limit of this test";
#endif
  const auto code = [&](uint64_t gigabytes) {
    const std::string dims = absl::StrCat("[", gigabytes * 1024, ", 262144]");
    const auto program = ReadProgram(
        MainText(absl::StrCat("tensor<fp32, ", dims, "> x"),
                 absl::StrCat("tensor<fp32, ", dims, "> a = exp(x = x);\n tensor<fp32, ", dims,
                              "> b = softmax(x = a, axis = int32(0));\n tensor<fp32, ", dims,
                              "> y = exp(x = b);"),
                 "y"));
    const auto artifact = device->Compile(program, {});
    if (!artifact.ok()) return artifact.status().code();
    return device->Load(*artifact).status().code();
  };
  if (!test::AddressSpaceIsLimited()) GTEST_SKIP() << "the system does not bound address space";
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  const rlimit tight{rlim_t{3} << 30, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &tight), 0);
  const absl::StatusCode found = code(3);
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(found, absl::StatusCode::kResourceExhausted);
}

// Shapes are a client's too: what would take all memory is refused before it is taken.
TEST_F(CpuDeviceTest, ProgramsThatWouldTakeAllMemoryAreRefused) {
  const auto code = [&](const std::string& inputs, const std::string& body) {
    return device->Compile(ReadProgram(MainText(inputs, body, "y")), {}).status().code();
  };
  EXPECT_EQ(code("tensor<fp16, [1]> x",
                 "tensor<fp16, [1048576, 16384]> y = fill(shape = tensor<int32, [2]>([1048576, "
                 "16384]), value = fp16(1));"),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code("tensor<fp16, [1048576, 1]> a, tensor<fp16, [1, 16384]> b",
                 "tensor<fp16, [1048576, 16384]> p = matmul(x = a, y = b);"
                 "tensor<fp16, [1, 1]> y = reduce_sum(x = p, axes = tensor<int32, [2]>([0, 1]), "
                 "keep_dims = bool(true));"),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(CpuDeviceTest, ScratchMemoryBeyondTheLimitIsRefusedAtLoad) {
  // Three values of 4 GiB each, two of them alive at a time besides the third.
  const auto program = ReadProgram(
      MainText("tensor<fp16, [131072, 1]> a, tensor<fp16, [1, 16384]> b",
               "tensor<fp16, [131072, 16384]> p = mul(x = a, y = b);"
               "tensor<fp16, [131072, 16384]> q = exp(x = p);"
               "tensor<fp16, [131072, 16384]> r = add(x = p, y = q);"
               "tensor<fp16, [131072]> y = reduce_sum(x = r, axes = tensor<int32, [1]>([1]), "
               "keep_dims = bool(false));",
               "y"));
  const auto artifact = device->Compile(program, {});
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  const absl::Status status = device->Load(*artifact).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("12884901888 bytes"), std::string::npos) << status;
}

// Indices come from a client's memory and may be anything.
TEST_F(CpuDeviceTest, GatherNeverReadsOutsideItsOperand) {
  const auto program = ReadProgram(MainText(
      "tensor<fp16, [4]> x, tensor<int32, [5]> i",
      "tensor<fp16, [5]> y = gather(x = x, indices = i, axis = int32(0), batch_dims = int32(0));",
      "y"));
  const Tensor x = MakeTensor(DType::kFp16, {4}, {10, 20, 30, 40});
  const Tensor i = MakeTensor(DType::kInt32, {5}, {2147483647, -2147483648.0, 4, -5, -1});
  for (const std::string mode : {"default", "reference"}) {
    Bound bound(*device, program, {{"numerics", mode}});
    EXPECT_EQ(ValuesOf(bound.Run({{"x", x}, {"i", i}}).at("y")),
              (std::vector<double>{40, 10, 40, 10, 40}));
  }
}

TEST_F(CpuDeviceTest, ResidentBytesCountWidenedWeights) {
  const auto resident = [&](const std::string& width) {
    Bound bound(
        *device,
        ReadProgram(MainText(
            "tensor<fp16, [2, 64]> x",
            "tensor<fp16, [" + width + ", 64]> w = fill(shape = tensor<int32, [2]>([" + width +
                ", 64]), value = fp16(1));" + "tensor<fp16, [2, " + width +
                "]> y = matmul(x = x, y = w, transpose_x = bool(false), transpose_y = bool(true));",
            "y")));
    return bound.executable().resident_bytes();
  };
  // 64 K more weights: 2 bytes folded and 4 bytes widened each, besides some scratch.
  const uint64_t grown = resident("1040") - resident("16");
  EXPECT_GE(grown, 65536u * 6);
  EXPECT_LE(grown, 65536u * 7);
}

TEST_F(CpuDeviceTest, TwoRequestsMayRunAtTheSameTime) {
  const auto program = ReadProgram(MainText(
      "tensor<fp16, [64, 96]> x, tensor<fp16, [96, 48]> w",
      "tensor<fp16, [64, 48]> p = matmul(x = x, y = w); tensor<fp16, [64, 48]> y = exp(x = p);",
      "y"));
  const auto artifact = device->Compile(program, {});
  const auto executable = *device->Load(*artifact);
  const Tensor w = NoiseTensor(DType::kFp16, {96, 48}, 9, 0.1);
  const auto work = [&](uint32_t seed, bool& same) {
    Bound bound(executable, "main");
    const Tensors inputs = {{"x", NoiseTensor(DType::kFp16, {64, 96}, seed)}, {"w", w}};
    const Tensor first = bound.Run(inputs).at("y");
    for (int i = 0; i < 50; ++i) same = same && bound.Run().at("y").bytes == first.bytes;
  };
  bool same[2] = {true, true};
  std::thread other([&] { work(1, same[0]); });
  work(2, same[1]);
  other.join();
  EXPECT_TRUE(same[0]);
  EXPECT_TRUE(same[1]);
}

}  // namespace
}  // namespace anex::device::cpu
