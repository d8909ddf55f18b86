#include "tests/conformance/device_suite.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/device/harness.h"

namespace anex::device {
namespace {

using Values = std::vector<double>;

// out[m, n] = a[m, k] b[k, n], in double.
Values Product(const Tensor& a, const Tensor& b, int64_t m, int64_t k, int64_t n) {
  const Values x = ValuesOf(a), y = ValuesOf(b);
  Values out(static_cast<size_t>(m * n), 0.0);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t l = 0; l < k; ++l) out[i * n + j] += x[i * k + l] * y[l * n + j];
    }
  }
  return out;
}

void ExpectNear(const Values& expected, const Tensor& found, double tolerance) {
  const Values have = ValuesOf(found);
  ASSERT_EQ(expected.size(), have.size());
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::fabs(value));
  for (size_t i = 0; i < have.size(); ++i) {
    ASSERT_NEAR(expected[i], have[i], tolerance * largest) << "element " << i;
  }
}

// y = W x with three different sizes, none of them square: the shape of a layer of a model.
constexpr int64_t kOut = 48, kIn = 32, kColumns = 20;
std::shared_ptr<const mil::Program> Layer() {
  return ReadProgram(MainText("tensor<fp16, [1, 32, 1, 20]> x, tensor<fp16, [1, 48, 32]> W",
                              "    tensor<fp16, [1, 32, 20]> x3 = reshape(x = x, shape = "
                              "tensor<int32, [3]>([1, 32, 20]));\n"
                              "    tensor<fp16, [1, 48, 20]> y3 = matmul(x = W, y = x3, "
                              "transpose_x = bool(false), transpose_y = bool(false));\n"
                              "    tensor<fp16, [1, 48, 1, 20]> y = reshape(x = y3, shape = "
                              "tensor<int32, [4]>([1, 48, 1, 20]));\n",
                              "y"));
}
Tensor X(uint32_t seed = 1) { return NoiseTensor(DType::kFp16, {1, kIn, 1, kColumns}, seed); }
Tensor W(uint32_t seed = 2) { return NoiseTensor(DType::kFp16, {1, kOut, kIn}, seed); }

std::shared_ptr<const mil::Program> Subtract() {
  return ReadProgram(MainText("tensor<fp16, [3, 5]> a, tensor<fp16, [3, 5]> b",
                              "tensor<fp16, [3, 5]> y = sub(x = a, y = b);", "y"));
}

// A region that others gave us for reading only.
class ReadOnlyRegion final : public shm::SharedRegion {
 public:
  explicit ReadOnlyRegion(std::shared_ptr<shm::SharedRegion> inner) : inner_(std::move(inner)) {}
  std::byte* data() override { return inner_->data(); }
  const std::byte* data() const override { return std::as_const(*inner_).data(); }
  uint64_t size() const override { return inner_->size(); }
  shm::RegionAccess access() const override { return shm::RegionAccess::kReadOnly; }
  absl::StatusOr<shm::OwnedDescriptor> Share(shm::RegionAccess) const override {
    return absl::UnimplementedError("a double for tests");
  }

 private:
  const std::shared_ptr<shm::SharedRegion> inner_;
};

std::shared_ptr<Executable> LoadOn(Device& device, std::shared_ptr<const mil::Program> program,
                                   const DeviceOptions& options) {
  const absl::StatusOr<Artifact> artifact = device.Compile(std::move(program), options);
  EXPECT_TRUE(artifact.ok()) << artifact.status();
  if (!artifact.ok()) return nullptr;
  absl::StatusOr<std::shared_ptr<Executable>> executable = device.Load(*artifact);
  EXPECT_TRUE(executable.ok()) << executable.status();
  return executable.ok() ? *executable : nullptr;
}

absl::StatusCode PrepareCode(Executable& executable, const std::vector<BoundPort>& ports) {
  return executable.Prepare(0, ports).status().code();
}

}  // namespace

void DeviceSuite::SetUp() {
  std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  name = name.substr(0, name.find('/'));
  if (const auto skip = GetParam().skips.find(name); skip != GetParam().skips.end()) {
    GTEST_SKIP() << skip->second;
  }
  absl::StatusOr<std::unique_ptr<Device>> made = GetParam().factory.make();
  ASSERT_TRUE(made.ok()) << made.status();
  device_ = *std::move(made);
}

TEST_P(DeviceSuite, SaysWhatItIs) {
  const Capabilities& capabilities = device_->capabilities();
  EXPECT_EQ(capabilities.name, GetParam().factory.name);
  EXPECT_FALSE(capabilities.description.empty());
  EXPECT_FALSE(capabilities.compiler_version.empty());
}

TEST_P(DeviceSuite, OperandsKeepTheirOrderAndTheirThreeSizes) {
  Bound bound(*device_, Layer(), GetParam().options);
  ASSERT_TRUE(bound.ok());
  const Tensors out = bound.Run({{"x", X()}, {"W", W()}});
  ExpectNear(Product(W(), X(), kOut, kIn, kColumns), out.at("y"), GetParam().tolerance);
}

TEST_P(DeviceSuite, SubtractingTheOtherWayRoundIsSomethingElse) {
  Bound bound(*device_, Subtract(), GetParam().options);
  const Tensor a =
      MakeTensor(DType::kFp16, {3, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  const Tensor b = MakeTensor(DType::kFp16, {3, 5}, {9, 1, 8, 2, 7, 3, 6, 4, 5, 0, 1, 1, 2, 2, 3});
  const Values expected = {-8, 1, -5, 2, -2, 3, 1, 4, 4, 10, 10, 11, 11, 12, 12};
  EXPECT_EQ(ValuesOf(bound.Run({{"a", a}, {"b", b}}).at("y")), expected);
}

TEST_P(DeviceSuite, PortsComeByNameInTheOrderOfTheContract) {
  const auto program = ReadProgram(MainText("tensor<fp16, [2, 3]> zebra, tensor<fp16, [3, 4]> ant",
                                            "tensor<fp16, [2, 4]> owl = matmul(x = zebra, y = "
                                            "ant); tensor<fp16, [2, 3]> bee = relu(x = zebra);",
                                            "owl, bee"));
  const auto executable = LoadOn(*device_, program, GetParam().options);
  ASSERT_NE(executable, nullptr);
  ASSERT_EQ(executable->functions().size(), 1u);
  const FunctionInfo& info = executable->functions()[0];
  std::string names;
  for (const PortInfo& port : info.ports) {
    names += port.name + (port.direction == PortDirection::kOutput ? "! " : " ");
  }
  EXPECT_EQ(names, "zebra ant owl! bee! ");
  EXPECT_EQ(info.ports[2].layout.shape, (Shape{2, 4}));
  EXPECT_EQ(info.ports[2].layout.dtype, DType::kFp16);
  for (const PortInfo& port : info.ports) EXPECT_TRUE(CheckLayout(port.layout).ok()) << port.name;
}

TEST_P(DeviceSuite, TheOrderInWhichPortsAreBoundDoesNotMatter) {
  const auto executable = LoadOn(*device_, Subtract(), GetParam().options);
  ASSERT_NE(executable, nullptr);
  std::vector<BoundPort> ports = MemoryFor(executable->functions()[0]);
  const auto output = ports[2].region;
  const Tensor a = MakeTensor(DType::kFp16, {3, 5}, Values(15, 8)),
               b = MakeTensor(DType::kFp16, {3, 5}, Values(15, 2));
  Bound writer(executable, "main");
  const Tensor right = writer.Run({{"a", a}, {"b", b}}).at("y");
  // The first row of every layout is at its first bytes.
  std::memcpy(ports[0].region->data(), a.bytes.data(), 10);
  std::memcpy(ports[1].region->data(), b.bytes.data(), 10);
  std::reverse(ports.begin(), ports.end());
  auto request = executable->Prepare(0, ports);
  ASSERT_TRUE(request.ok()) << request.status();
  ASSERT_TRUE((*request)->Run().ok());
  EXPECT_EQ(std::memcmp(output->data(), right.bytes.data(), 10), 0);
}

TEST_P(DeviceSuite, EveryFunctionOfAProgramRuns) {
  const auto program = ReadProgram(
      "program(1.3)\n{\n"
      "  func twice<ios18>(tensor<fp16, [3]> x) { tensor<fp16, [3]> y = add(x = x, y = x); } -> "
      "(y);\n"
      "  func same<ios18>(tensor<fp16, [2, 2]> v) { tensor<fp16, [2, 2]> w = relu(x = v); } -> "
      "(w);\n"
      "}\n");
  const auto executable = LoadOn(*device_, program, GetParam().options);
  ASSERT_NE(executable, nullptr);
  ASSERT_EQ(executable->functions().size(), 2u);
  Bound twice(executable, "twice"), same(executable, "same");
  EXPECT_EQ(ValuesOf(twice.Run({{"x", MakeTensor(DType::kFp16, {3}, {1, -2, 4})}}).at("y")),
            (Values{2, -4, 8}));
  EXPECT_EQ(ValuesOf(same.Run({{"v", MakeTensor(DType::kFp16, {2, 2}, {1, -2, 3, -4})}}).at("w")),
            (Values{1, 0, 3, 0}));
}

TEST_P(DeviceSuite, PreferredLayoutsAreValidAndFitAKernelOfThatShape) {
  for (const Shape& shape : {Shape{7}, Shape{3, 5}, Shape{1, 5, 1, 33}}) {
    const auto layout = device_->PreferredLayout(DType::kFp16, shape);
    ASSERT_TRUE(layout.ok()) << layout.status();
    EXPECT_TRUE(CheckLayout(*layout).ok());
    EXPECT_EQ(layout->shape, shape);
  }
}

TEST_P(DeviceSuite, MemoryBetweenTheRowsIsLeftAlone) {
  Bound bound(*device_, Subtract(), GetParam().options);
  ASSERT_TRUE(bound.ok());
  const auto executable = bound.executable().shared_from_this();
  std::vector<BoundPort> ports = MemoryFor(bound.info());
  const TensorLayout& layout = ports[2].layout;
  std::memset(ports[2].region->data(), 0x5a, SpanBytes(layout));
  auto request = executable->Prepare(0, ports);
  ASSERT_TRUE(request.ok()) << request.status();
  ASSERT_TRUE((*request)->Run().ok());
  std::vector<bool> element(SpanBytes(layout), false);
  for (int64_t row = 0; row < 3; ++row) {
    for (int64_t i = 0; i < 5; ++i) {
      const auto at = static_cast<size_t>(row * layout.strides[0] + i * layout.strides[1]);
      element[at] = element[at + 1] = true;
    }
  }
  for (size_t i = 0; i < element.size(); ++i) {
    const std::byte expected = element[i] ? std::byte{0} : std::byte{0x5a};
    ASSERT_EQ(ports[2].region->data()[i], expected) << "byte " << i;
  }
}

TEST_P(DeviceSuite, ALayoutWithOtherStridesIsRefused) {
  const auto executable = LoadOn(*device_, Subtract(), GetParam().options);
  ASSERT_NE(executable, nullptr);
  std::vector<BoundPort> ports = MemoryFor(executable->functions()[0]);
  ports[0].layout = *MakePaddedLayout(DType::kFp16, {3, 5}, 512, 512, 4096);
  ports[0].region = *shm::CreateHeapRegion(8192);
  EXPECT_EQ(PrepareCode(*executable, ports), absl::StatusCode::kInvalidArgument);
}

TEST_P(DeviceSuite, ALargerAllocationIsTaken) {
  const auto executable = LoadOn(*device_, Subtract(), GetParam().options);
  ASSERT_NE(executable, nullptr);
  std::vector<BoundPort> ports = MemoryFor(executable->functions()[0]);
  for (BoundPort& port : ports) {
    port.layout.allocation_bytes += 4096;
    port.region = *shm::CreateHeapRegion(port.layout.allocation_bytes);
  }
  EXPECT_TRUE(executable->Prepare(0, ports).ok());
}

TEST_P(DeviceSuite, WrongBindingsAreRefused) {
  const auto executable = LoadOn(*device_, Subtract(), GetParam().options);
  ASSERT_NE(executable, nullptr);
  const std::vector<BoundPort> good = MemoryFor(executable->functions()[0]);
  ASSERT_EQ(PrepareCode(*executable, good), absl::StatusCode::kOk);
  const auto spoilt = [&](auto spoil) {
    std::vector<BoundPort> ports = good;
    spoil(ports);
    return PrepareCode(*executable, ports);
  };
  constexpr auto kRefused = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(spoilt([](auto& ports) { ports.pop_back(); }), kRefused);
  EXPECT_EQ(spoilt([](auto& ports) { ports.push_back(ports[1]); }), kRefused);
  EXPECT_EQ(spoilt([](auto& ports) { ports[0].port = 17; }), kRefused);
  EXPECT_EQ(spoilt([](auto& ports) { ports[0].region = nullptr; }), kRefused);
  EXPECT_EQ(spoilt([](auto& ports) {
              ports[1].layout = *MakePackedLayout(DType::kFp32, {3, 5});
            }),
            kRefused);
  EXPECT_EQ(spoilt([](auto& ports) { ports[2].region = ports[0].region; }), kRefused);
  EXPECT_EQ(executable->Prepare(9, good).status().code(), kRefused);
}

TEST_P(DeviceSuite, ReadOnlyMemoryIsTakenForInputsAndRefusedForOutputs) {
  const auto executable = LoadOn(*device_, Subtract(), GetParam().options);
  ASSERT_NE(executable, nullptr);
  std::vector<BoundPort> ports = MemoryFor(executable->functions()[0]);
  ports[0].region = std::make_shared<ReadOnlyRegion>(ports[0].region);
  EXPECT_EQ(PrepareCode(*executable, ports), absl::StatusCode::kOk);
  ports[2].region = std::make_shared<ReadOnlyRegion>(ports[2].region);
  EXPECT_EQ(PrepareCode(*executable, ports), absl::StatusCode::kInvalidArgument);
}

TEST_P(DeviceSuite, TwoInputsMayBeOneSurface) {
  const auto executable = LoadOn(*device_, Subtract(), GetParam().options);
  ASSERT_NE(executable, nullptr);
  std::vector<BoundPort> ports = MemoryFor(executable->functions()[0]);
  ports[1].region = ports[0].region;
  EXPECT_EQ(PrepareCode(*executable, ports), absl::StatusCode::kOk);
}

TEST_P(DeviceSuite, TwoRequestsOfOneExecutableDoNotMixTheirMemory) {
  const auto executable = LoadOn(*device_, Layer(), GetParam().options);
  ASSERT_NE(executable, nullptr);
  Bound first(executable, "main"), second(executable, "main");
  first.Run({{"x", X(1)}, {"W", W(2)}});
  second.Run({{"x", X(3)}, {"W", W(4)}});
  ExpectNear(Product(W(2), X(1), kOut, kIn, kColumns), first.Run().at("y"), GetParam().tolerance);
  ExpectNear(Product(W(4), X(3), kOut, kIn, kColumns), second.Run().at("y"), GetParam().tolerance);
}

TEST_P(DeviceSuite, ARequestSeesWhatItsInputsHoldAtEachRun) {
  Bound bound(*device_, Layer(), GetParam().options);
  bound.Run({{"x", X(1)}, {"W", W(2)}});
  const Tensor again = bound.Run({{"W", W(7)}}).at("y");
  ExpectNear(Product(W(7), X(1), kOut, kIn, kColumns), again, GetParam().tolerance);
}

TEST_P(DeviceSuite, TheSameInputsGiveTheSameBits) {
  Bound bound(*device_, Layer(), GetParam().options);
  const Tensor first = bound.Run({{"x", X()}, {"W", W()}}).at("y");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bound.Run().at("y").bytes, first.bytes);
}

TEST_P(DeviceSuite, PreparingWhileAnotherThreadRunsIsFine) {
  const auto executable = LoadOn(*device_, Layer(), GetParam().options);
  ASSERT_NE(executable, nullptr);
  Bound running(executable, "main");
  const Tensor first = running.Run({{"x", X()}, {"W", W()}}).at("y");
  bool same = true;
  std::thread runner([&] {
    for (int i = 0; i < 50; ++i) same = same && running.Run().at("y").bytes == first.bytes;
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(executable->Prepare(0, MemoryFor(executable->functions()[0])).ok());
  }
  runner.join();
  EXPECT_TRUE(same);
}

TEST_P(DeviceSuite, ARequestKeepsItsExecutableAndItsMemoryAlive) {
  auto executable = LoadOn(*device_, Subtract(), GetParam().options);
  ASSERT_NE(executable, nullptr);
  std::vector<BoundPort> ports = MemoryFor(executable->functions()[0]);
  const std::weak_ptr<shm::SharedRegion> memory = ports[0].region;
  const std::weak_ptr<Executable> alive = executable;
  auto request = executable->Prepare(0, ports);
  ASSERT_TRUE(request.ok());
  executable.reset();
  ports.clear();
  EXPECT_FALSE(memory.expired());
  EXPECT_FALSE(alive.expired());
  EXPECT_TRUE((*request)->Run().ok());
  request->reset();
  EXPECT_TRUE(memory.expired());
  EXPECT_TRUE(alive.expired());
}

TEST_P(DeviceSuite, TheProgramMayBeForgottenOnceItIsLoaded) {
  auto program = ReadProgram(
      MainText("tensor<fp16, [3]> x",
               "tensor<fp16, [3]> y = mul(x = x, y = tensor<fp16, [3]>([2, 3, 4]));", "y"));
  auto artifact = device_->Compile(program, GetParam().options);
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  auto executable = device_->Load(*artifact);
  ASSERT_TRUE(executable.ok());
  program.reset();
  *artifact = Artifact();
  Bound bound(*executable, "main");
  EXPECT_EQ(ValuesOf(bound.Run({{"x", MakeTensor(DType::kFp16, {3}, {1, 10, 100})}}).at("y")),
            (Values{2, 30, 400}));
}

// A weight file as the official tools write it: header, then records of 64 bytes before their data.
TEST_P(DeviceSuite, ConstantsComeFromWeightFiles) {
  const Tensor w = NoiseTensor(DType::kFp16, {4, 3}, 21);
  auto file = std::make_shared<std::string>(128, '\0');
  const auto put32 = [&](size_t at, uint32_t value) { std::memcpy(&(*file)[at], &value, 4); };
  const auto put64 = [&](size_t at, uint64_t value) { std::memcpy(&(*file)[at], &value, 8); };
  put32(0, 1);
  put32(4, 2);
  put32(64, 0xDEADBEEF);
  put32(68, 1);
  put64(72, w.bytes.size());
  put64(80, 128);
  file->append(reinterpret_cast<const char*>(w.bytes.data()), w.bytes.size());
  const auto program = ReadProgram(
      MainText(
          "tensor<fp16, [2, 4]> x",
          "    tensor<fp16, [4, 3]> w = const()[name = string(\"w\"), val = tensor<fp16, [4, 3]>"
          "(BLOBFILE(path = string(\"@model_path/weights/w.bin\"), offset = uint64(64)))];\n"
          "    tensor<fp16, [2, 3]> y = matmul(x = x, y = w, transpose_x = bool(false), "
          "transpose_y = bool(false));",
          "y"),
      {{"weights/w.bin", file}});
  Bound bound(*device_, program, GetParam().options);
  ASSERT_TRUE(bound.ok());
  const Tensor x = NoiseTensor(DType::kFp16, {2, 4}, 22);
  ExpectNear(Product(x, w, 2, 4, 3), bound.Run({{"x", x}}).at("y"), GetParam().tolerance);
}

TEST_P(DeviceSuite, Fp32PortsAreCastAtTheBorder) {
  const auto program =
      ReadProgram(MainText("tensor<fp32, [2, 3]> x",
                           "tensor<fp16, [2, 3]> h = cast(x = x, dtype = string(\"fp16\"));"
                           "tensor<fp16, [2, 3]> d = add(x = h, y = h);"
                           "tensor<fp32, [2, 3]> y = cast(x = d, dtype = string(\"fp32\"));",
                           "y"));
  Bound bound(*device_, program, GetParam().options);
  // 1 + 2^-11 lies between two fp16 numbers and rounds to the even one, 1.
  const Tensor x = MakeTensor(DType::kFp32, {2, 3}, {1, -2, 0.5, 1 + 0x1p-11, 1000, 1e-3});
  const Values y = ValuesOf(bound.Run({{"x", x}}).at("y"));
  EXPECT_EQ((Values{y[0], y[1], y[2], y[3], y[4]}), (Values{2, -4, 1, 2, 2000}));
  EXPECT_NEAR(y[5], 2e-3, 2e-6);
}

TEST_P(DeviceSuite, StateStartsAtZeroAndStaysWithItsRequest) {
  const auto program = ReadProgram(MainText("tensor<fp16, [3]> x, state<tensor<fp16, [3]>> total",
                                            "tensor<fp16, [3]> old = read_state(input = total);"
                                            "tensor<fp16, [3]> sum = add(x = old, y = x);"
                                            "write_state(data = sum, input = total);"
                                            "tensor<fp16, [3]> y = sub(x = sum, y = old);",
                                            "y, sum"));
  const auto executable = LoadOn(*device_, program, GetParam().options);
  ASSERT_NE(executable, nullptr);
  const FunctionInfo& info = executable->functions()[0];
  ASSERT_EQ(info.ports[1].direction, PortDirection::kState);
  std::vector<BoundPort> ports = MemoryFor(info);
  ports.erase(ports.begin() + 1);  // the request makes its own
  auto request = executable->Prepare(0, ports);
  ASSERT_TRUE(request.ok()) << request.status();
  Bound other(executable, "main");  // with memory for its state
  const Tensor x = MakeTensor(DType::kFp16, {3}, {1, 2, 3});
  std::memcpy(ports[0].region->data(), x.bytes.data(), x.bytes.size());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*request)->Run().ok());
  const Tensor sum = MakeTensor(DType::kFp16, {3}, {3, 6, 9});
  EXPECT_EQ(std::memcmp(ports[2].region->data(), sum.bytes.data(), 6), 0)
      << "the sum of three runs";
  EXPECT_EQ(ValuesOf(other.Run({{"x", x}}).at("sum")), (Values{1, 2, 3}));
  EXPECT_EQ(ValuesOf(other.Get("total")), (Values{1, 2, 3}));
  EXPECT_EQ(ValuesOf(other.Run().at("y")), (Values{1, 2, 3}));
}

TEST_P(DeviceSuite, UnknownOptionsAreRefused) {
  EXPECT_EQ(device_->Compile(Subtract(), {{"no_such_switch", "1"}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(DeviceSuite, AProbeAnswersEachQuestionOnceAndStopsWhenTold) {
  CallControl control;
  ProbeLog log;
  const absl::Status probed = device_->Probe(false, control, log);
  if (absl::IsUnimplemented(probed)) GTEST_SKIP() << probed.message();
  ASSERT_TRUE(probed.ok()) << probed;
  EXPECT_FALSE(log.open().has_value());
  std::set<std::string> claims;
  for (const ProbeFinding& finding : log.findings()) {
    EXPECT_TRUE(claims.insert(finding.claim).second) << finding.claim << " came twice";
    EXPECT_FALSE(finding.question.empty()) << finding.claim;
    EXPECT_FALSE(finding.answer.empty()) << finding.claim;
    for (const auto& [name, number] : finding.numbers) {
      EXPECT_TRUE(std::isfinite(number)) << finding.claim << " " << name;
    }
  }
  EXPECT_FALSE(claims.empty());
  control.Stop();
  ProbeLog none;
  EXPECT_TRUE(absl::IsCancelled(device_->Probe(false, control, none)));
  EXPECT_TRUE(none.findings().empty());
}

TEST_P(DeviceSuite, AFreshDeviceRunsWhileTheOldOneIsStillThere) {
  const auto other = GetParam().factory.make();
  ASSERT_TRUE(other.ok());
  Bound old(*device_, Subtract(), GetParam().options),
      fresh(**other, Subtract(), GetParam().options);
  const Tensors inputs = {{"a", NoiseTensor(DType::kFp16, {3, 5}, 1)},
                          {"b", NoiseTensor(DType::kFp16, {3, 5}, 2)}};
  EXPECT_EQ(old.Run(inputs).at("y").bytes, fresh.Run(inputs).at("y").bytes);
}

}  // namespace anex::device
