// The default mode against the reference on programs that nobody thought of, and against itself on
// other numbers of threads, bit for bit.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/device/cpu/cpu_device.h"
#include "tests/cpu/ulps.h"
#include "tests/device/harness.h"

namespace anex::device::cpu {
namespace {

std::string TypeText(const Shape& shape) {
  return absl::StrCat("tensor<fp16, ", shape.ToString(), ">");
}

// Grows a random program of fp16 values of rank 3. Each operation that rounds goes through values
// near 1, so that a difference of one unit in one stays a few units in the end.
class RandomProgram {
 public:
  explicit RandomProgram(uint32_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) {
      const Shape shape{1 + Pick(3), 2 + Pick(70), 2 + Pick(40)};
      inputs_.push_back({absl::StrCat("in", i), shape});
      values_.push_back(inputs_.back());
    }
    for (int i = 0; i < 12; ++i) Grow();
  }

  std::shared_ptr<const mil::Program> Read() const {
    std::vector<std::string> parameters;
    for (const Value& input : inputs_) {
      parameters.push_back(TypeText(input.shape) + " " + input.name);
    }
    // Everything is an output: the first operation that disagrees is the one that is named.
    std::vector<std::string> outputs;
    for (size_t i = inputs_.size(); i < values_.size(); ++i) outputs.push_back(values_[i].name);
    return ReadProgram(
        MainText(absl::StrJoin(parameters, ", "), body_, absl::StrJoin(outputs, ", ")));
  }

  Tensors Inputs() const {
    Tensors tensors;
    uint32_t seed = 1;
    for (const Value& input : inputs_) {
      tensors[input.name] = NoiseTensor(DType::kFp16, input.shape, seed++);
    }
    return tensors;
  }

 private:
  struct Value {
    std::string name;
    Shape shape;
  };

  int64_t Pick(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  const Value Any() {
    return values_[static_cast<size_t>(Pick(static_cast<int64_t>(values_.size())))];
  }

  std::string Add(const Shape& shape, const std::string& call) {
    const std::string name = absl::StrCat("v", values_.size());
    absl::StrAppend(&body_, "    ", TypeText(shape), " ", name, " = ", call, ";\n");
    values_.push_back({name, shape});
    return name;
  }

  void Grow() {
    const Value x = Any();
    const int64_t a = x.shape[0], b = x.shape[1], c = x.shape[2];
    switch (Pick(9)) {
      case 0:
        Add({c, a, b},
            absl::StrCat("transpose(x = ", x.name, ", perm = tensor<int32, [3]>([2, 0, 1]))"));
        break;
      case 1:
        Add({a, c, b},
            absl::StrCat("transpose(x = ", x.name, ", perm = tensor<int32, [3]>([0, 2, 1]))"));
        break;
      case 2:
        Add({b, 1, a * c}, absl::StrCat("reshape(x = ", x.name, ", shape = tensor<int32, [3]>([", b,
                                        ", 1, ", a * c, "]))"));
        break;
      case 3: {
        const int64_t from = Pick(b);
        Add({a, b - from, c},
            absl::StrCat("slice_by_size(x = ", x.name, ", begin = tensor<int32, [3]>([0, ", from,
                         ", 0]), size = tensor<int32, [3]>([-1, -1, -1]))"));
        break;
      }
      case 4:
        Add(x.shape, absl::StrCat("tanh(x = ", x.name, ")"));
        break;
      case 5: {
        const std::string sum = Add(
            {a, b, 1}, absl::StrCat("reduce_mean(x = ", x.name,
                                    ", axes = tensor<int32, [1]>([2]), keep_dims = bool(true))"));
        Add(x.shape, absl::StrCat("sub(x = ", x.name, ", y = ", sum, ")"));
        break;
      }
      case 6:
        Add(x.shape, absl::StrCat("softmax(x = ", x.name, ", axis = int32(", Pick(3), "))"));
        break;
      case 7:
        Add({a, b, b}, absl::StrCat("matmul(x = ", x.name, ", y = ", x.name,
                                    ", transpose_x = bool(false), transpose_y = bool(true))"));
        break;
      default:
        Add({a, 2 * b, c}, absl::StrCat("concat(values = (", x.name, ", ", x.name,
                                        "), axis = int32(1), interleave = bool(false))"));
        break;
    }
  }

  std::mt19937 random_;
  std::vector<Value> inputs_, values_;
  std::string body_;
};

class AgreementTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(AgreementTest, DefaultAgreesWithReference) {
  const RandomProgram random(GetParam());
  const auto program = random.Read();
  const auto device = MakeCpuDevice({.threads = 2});
  const Tensors right = Bound(*device, program, {{"numerics", "reference"}}).Run(random.Inputs());
  const Tensors fast = Bound(*device, program).Run(random.Inputs());
  for (const auto& [name, tensor] : right) {
    SCOPED_TRACE(name);
    // Errors of one unit pass through up to a dozen operations.
    ExpectClose(tensor, fast.at(name), 16, 0.02);
    if (HasFailure()) return;
  }
}

TEST_P(AgreementTest, TheNumberOfThreadsChangesNoBit) {
  const RandomProgram random(GetParam());
  const auto program = random.Read();
  const Tensors alone = Bound(*MakeCpuDevice({.threads = 1}), program).Run(random.Inputs());
  for (const int threads : {2, 3}) {
    const auto device = MakeCpuDevice({.threads = threads});
    Bound bound(*device, program);
    for (int again = 0; again < 3; ++again) {
      const Tensors found = bound.Run(random.Inputs());
      for (const auto& [name, tensor] : alone) {
        ASSERT_EQ(tensor.bytes, found.at(name).bytes) << name << " on " << threads << " threads";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AgreementTest, ::testing::Range(0u, 24u));

// A product of several tiles, a convolution, attention: the kernels that share work out.
TEST(DeterminismTest, LargeKernelsGiveTheSameBitsOnAnyNumberOfThreads) {
  const auto program =
      ReadProgram(MainText("tensor<fp16, [1, 520, 1, 330]> x, tensor<fp16, [1, 700, 520]> w, "
                           "tensor<fp16, [6, 20, 3, 3]> f",
                           "    tensor<fp16, [1, 520, 330]> x3 = reshape(x = x, shape = "
                           "tensor<int32, [3]>([1, 520, 330]));\n"
                           "    tensor<fp16, [1, 700, 330]> y = matmul(x = w, y = x3);\n"
                           "    tensor<fp16, [1, 20, 26, 330]> image = reshape(x = x, shape = "
                           "tensor<int32, [4]>([1, 20, 26, 330]));\n"
                           "    tensor<fp16, [1, 6, 24, 328]> z = conv(x = image, weight = f);\n"
                           "    tensor<fp16, [10, 52, 330]> q = reshape(x = x, shape = "
                           "tensor<int32, [3]>([10, 52, 330]));\n"
                           "    tensor<fp16, [10, 330, 52]> t = transpose(x = q, perm = "
                           "tensor<int32, [3]>([0, 2, 1]));\n"
                           "    tensor<fp16, [10, 330, 52]> s = scaled_dot_product_attention(query "
                           "= t, key = t, value = t);\n",
                           "y, z, s"));
  const Tensors inputs = {{"x", NoiseTensor(DType::kFp16, {1, 520, 1, 330}, 1)},
                          {"w", NoiseTensor(DType::kFp16, {1, 700, 520}, 2)},
                          {"f", NoiseTensor(DType::kFp16, {6, 20, 3, 3}, 3)}};
  const Tensors alone = Bound(*MakeCpuDevice({.threads = 1}), program).Run(inputs);
  for (const int threads : {2, 3}) {
    const auto device = MakeCpuDevice({.threads = threads});
    const Tensors found = Bound(*device, program).Run(inputs);
    for (const auto& [name, tensor] : alone) EXPECT_EQ(tensor.bytes, found.at(name).bytes) << name;
  }
}

TEST(AgreementTest, ActivationsWithNumbersOfTheirOwn) {
  const auto device = MakeCpuDevice({.threads = 1});
  for (const std::string call : {"sigmoid_hard(x = x, alpha = fp16(0.3), beta = fp16(0.4))",
                                 "linear_activation(x = x, alpha = fp16(-1.5), beta = fp16(0.4))",
                                 "threshold(x = x, alpha = fp16(0.25))"}) {
    const auto program = ReadProgram(
        MainText("tensor<fp16, [3, 401]> x", "tensor<fp16, [3, 401]> y = " + call + ";", "y"));
    const Tensors inputs = {{"x", NoiseTensor(DType::kFp16, {3, 401}, 5, 4.0)}};
    const Tensors right = Bound(*device, program, {{"numerics", "reference"}}).Run(inputs);
    SCOPED_TRACE(call);
    ExpectClose(right.at("y"), Bound(*device, program).Run(inputs).at("y"), 1, 0);
    EXPECT_NE(right.at("y").bytes, inputs.at("x").bytes);
  }
  const auto program = ReadProgram(MainText("tensor<fp16, [3, 4]> x",
                                            "tensor<fp16, [3, 4]> a = abs(x = x);"
                                            "tensor<fp16, [3]> y = reduce_log_sum(x = a, axes = "
                                            "tensor<int32, [1]>([1]), keep_dims = bool(false));",
                                            "y"));
  const Tensor ones = MakeTensor(DType::kFp16, {3, 4}, {1, 0, 0, 0, 1, -1, 2, 0, 4, 4, 4, 4});
  const Tensor y = Bound(*device, program).Run({{"x", ones}}).at("y");
  ExpectClose(MakeTensor(DType::kFp16, {3}, {0, 1.3862943611198906, 2.772588722239781}), y, 0, 0);
}

}  // namespace
}  // namespace anex::device::cpu
