// What the device takes for a program, against an account: all of it, before it is there, and given
// back when it goes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/device/cpu/cpu_device.h"
#include "tests/device/harness.h"
#include "tests/system/processes.h"

namespace anex::device::cpu {
namespace {

using ::testing::HasSubstr;

// Not for several threads.
class Account final : public MemoryAccount {
 public:
  explicit Account(uint64_t limit = UINT64_MAX) : limit_(limit) {}
  absl::Status Take(uint64_t bytes) override {
    if (bytes > limit_ - used_) return absl::ResourceExhaustedError("the account says no");
    used_ += bytes;
    most_ = std::max(most_, used_);
    return absl::OkStatus();
  }
  void Give(uint64_t bytes) override { used_ -= bytes; }
  uint64_t used() const { return used_; }
  uint64_t most() const { return most_; }

 private:
  const uint64_t limit_;
  uint64_t used_ = 0, most_ = 0;
};

class AccountTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::shared_ptr<Executable>> Load(std::shared_ptr<const mil::Program> program,
                                                   const std::shared_ptr<Account>& account,
                                                   const DeviceOptions& options = {}) {
    CallControl control;
    const auto artifact = device_->Compile(std::move(program), options, {control, account});
    if (!artifact.ok()) return artifact.status();
    EXPECT_EQ(account->used(), 0u) << "compiling keeps nothing";
    return device_->Load(*artifact, {control, account});
  }

  const std::unique_ptr<Device> device_ = MakeCpuDevice({.threads = 2});
};

// b needs scratch memory beside the ports; c is computed at load; w is kept as floats.
constexpr const char* kBody =
    "tensor<fp16, [300, 300]> a = relu(x = x);\n"
    "tensor<fp16, [300, 300]> b = sigmoid(x = a);\n"
    "tensor<fp16, [300, 300]> c = fill(shape = tensor<int32, [2]>([300, 300]), value = fp16(3));\n"
    "tensor<fp16, [300, 300]> d = matmul(x = b, y = c);\n"
    "tensor<fp16, [300, 300]> y = add(x = d, y = a);";

TEST_F(AccountTest, HoldsWhatTheExecutableHoldsAndGetsItBack) {
  for (const char* numerics : {"default", "reference"}) {
    SCOPED_TRACE(numerics);
    const auto account = std::make_shared<Account>();
    auto executable = Load(ReadProgram(MainText("tensor<fp16, [300, 300]> x", kBody, "y")), account,
                           {{"numerics", numerics}});
    ASSERT_TRUE(executable.ok()) << executable.status();
    EXPECT_EQ(account->used(), (*executable)->resident_bytes());
    EXPECT_GE(account->used(), 2u * 300 * 300 * 2) << "the fill, and scratch for one tensor";
    executable->reset();
    EXPECT_EQ(account->used(), 0u);
  }
}

TEST_F(AccountTest, RefusesAtEveryPlaceAndLeavesNothingBehind) {
  const auto program = ReadProgram(MainText("tensor<fp16, [300, 300]> x", kBody, "y"));
  const auto whole = std::make_shared<Account>();
  ASSERT_TRUE(Load(program, whole).ok());
  ASSERT_GT(whole->most(), 0u);
  int refused = 0;
  for (uint64_t limit = 0; limit < whole->most(); limit += whole->most() / 50 + 1) {
    const auto account = std::make_shared<Account>(limit);
    const absl::Status status = Load(program, account).status();
    EXPECT_EQ(status, absl::ResourceExhaustedError("the account says no")) << limit;
    EXPECT_EQ(account->used(), 0u) << limit;
    refused += status.ok() ? 0 : 1;
  }
  EXPECT_EQ(refused, 50);
  EXPECT_TRUE(Load(program, std::make_shared<Account>(whole->most())).ok());
}

// 6 GB of constants, and as much of scratch: if they were there before they were refused, it would
// show.
TEST_F(AccountTest, IsAskedBeforeTheMemoryIsThere) {
  const auto account = std::make_shared<Account>(1 << 20);
  EXPECT_EQ(Load(ReadProgram(MainText("tensor<fp32, [1]> x",
                                      "tensor<fp32, [1500000000]> f = fill(shape = tensor<int32, "
                                      "[1]>([1500000000]), value = fp32(1.5));\n"
                                      "tensor<fp32, [1500000000]> y = add(x = f, y = x);",
                                      "y")),
                 account)
                .status()
                .code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Load(ReadProgram(MainText("tensor<fp32, [1500000000]> x",
                                      "tensor<fp32, [1500000000]> a = relu(x = x);\n"
                                      "tensor<fp32, [1500000000]> y = sigmoid(x = a);",
                                      "y")),
                 account, {{"numerics", "reference"}})
                .status()
                .code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_LT(test::OwnPeakBytes(), uint64_t{3} << 30);
}

}  // namespace
}  // namespace anex::device::cpu
