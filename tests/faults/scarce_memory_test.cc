// A daemon whose memory is bounded by the system (RLIMIT_AS), and requests that want more: each is
// refused RESOURCE_EXHAUSTED, and the same daemon serves the next one.

#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "tests/e2e/fixture.h"
#include "tests/system/processes.h"

namespace anex::test {
namespace {

constexpr rlim_t kGiB = rlim_t{1} << 30;
// What the daemon needs to begin with is mostly stacks and malloc's reserves for its threads.
constexpr rlim_t kAddresses = 4 * kGiB;
// The daemon's own bounds are out of the way: what is tested is what happens behind them.
const std::vector<std::string> kUnbounded = {
    "--limit", "surface_bytes=1000000000000", "--limit", "surface_bytes_per_session=1000000000000",
    "--limit", "kernel_bytes=1000000000000",  "--limit", "kernel_bytes_per_session=1000000000000",
    "--limit", "upload_bytes=1000000000000",  "--limit", "upload_bytes_per_session=1000000000000"};

class ScarceMemory : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(ANEX_SANITIZED)
    GTEST_SKIP() << "the sanitizers need more addresses than the limit of this test";
#endif
    if (!AddressSpaceIsLimited()) GTEST_SKIP() << "the system does not bound address space";
    const std::string why =
        SkipOnAne("compiles in a process of the system's, with memory of its own");
    if (!why.empty()) GTEST_SKIP() << why;
    auto daemon = DaemonProcess::Start({.flags = kUnbounded, .address_bytes = kAddresses});
    ASSERT_TRUE(daemon.ok()) << daemon.status();
    daemon_ = *std::move(daemon);
    session_ = OpenSession(daemon_->socket(), "greedy");
    ASSERT_NE(session_, nullptr);
  }
  void TearDown() override {
    if (daemon_ == nullptr) return;
    ASSERT_TRUE(daemon_->process().running()) << daemon_->process().output();
    EXPECT_TRUE(RunsMatmul(daemon_->socket()).ok());
  }

  absl::StatusOr<KernelInfo> Compile(const std::string& inputs, const std::string& body) {
    ProgramSource source;
    source.name = "greedy.mil";
    source.text = MilProgram(inputs, body, "y");
    return session_->Compile(source, {});
  }
  void ExpectExhausted(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_FALSE(status.message().empty());
  }

  std::unique_ptr<DaemonProcess> daemon_;
  std::unique_ptr<Transport> session_;
};

TEST_F(ScarceMemory, ScratchMemoryThatIsNotThere) {
  constexpr const char* kLong = "tensor<fp16, [1073741824]>";
  ExpectExhausted(
      Compile(absl::StrCat(kLong, " x"),
              absl::StrCat(kLong, " a = relu(x = x);\n", kLong, " b = sigmoid(x = a);\n", kLong,
                           " c = mul(x = a, y = b);\n",
                           "tensor<fp16, [1]> y = reduce_sum(x = c, axes = tensor<int32, "
                           "[1]>([0]), keep_dims = bool(true));"))
          .status());
}

TEST_F(ScarceMemory, ConstantsThatHaveNoRoom) {
  ExpectExhausted(Compile("tensor<fp16, [1]> x",
                          "tensor<fp32, [1500000000]> f = fill(shape = tensor<int32, "
                          "[1]>([1500000000]), value = fp32(1.5));\n"
                          "tensor<fp32, [1]> y = reduce_sum(x = f, axes = tensor<int32, "
                          "[1]>([0]), keep_dims = bool(true));")
                      .status());
}

// The matrices of this batch have room, a list of them beside that would not.
TEST_F(ScarceMemory, ABatchIsComputedNotListed) {
  constexpr const char* kMany = "tensor<fp16, [134217728, 1, 1]>";
  const auto kernel =
      Compile(absl::StrCat(kMany, " x"), absl::StrCat(kMany, " y = matmul(x = x, y = x);"));
  EXPECT_TRUE(kernel.ok()) << kernel.status();
}

TEST_F(ScarceMemory, SurfacesAndMessagesThatHaveNoRoom) {
  SurfaceSpec spec;
  spec.dtype = DType::kFp16;
  spec.shape = Shape({1, 1 << 30});
  std::vector<SurfaceId> made;
  absl::Status refused;
  for (int i = 0; i < 4 && refused.ok(); ++i) {
    const auto surface = session_->CreateSurface(spec);
    refused = surface.status();
    if (surface.ok()) made.push_back(surface->id);
  }
  ExpectExhausted(refused);
  // What is there is read in pieces, which need no room.
  ASSERT_FALSE(made.empty());
  const auto half = session_->ReadSurface(made[0], Region{{0, 0}, {1, 1 << 29}});
  EXPECT_TRUE(half.ok()) << half.status();
}

TEST_F(ScarceMemory, AProgramWhoseTextAloneIsTooMuch) {
  constexpr int kOperations = 300000;
  std::string body;
  for (int i = 0; i < kOperations; ++i) {
    absl::StrAppend(&body, "tensor<fp16, [2]> v", i,
                    " = relu(x = ", i == 0 ? "x" : absl::StrCat("v", i - 1), ");\n");
  }
  absl::StrAppend(&body, "tensor<fp16, [2]> y = relu(x = v", kOperations - 1, ");");
  auto tight = DaemonProcess::Start({.flags = kUnbounded, .address_bytes = kAddresses / 2});
  ASSERT_TRUE(tight.ok()) << tight.status();
  daemon_ = *std::move(tight);
  session_ = OpenSession(daemon_->socket(), "greedy");
  ASSERT_NE(session_, nullptr);
  // Whether it fits is the allocator's affair; that the daemon stays is not.
  const absl::Status status = Compile("tensor<fp16, [2]> x", body).status();
  if (!status.ok()) ExpectExhausted(status);
}

}  // namespace
}  // namespace anex::test
