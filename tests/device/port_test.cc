#include "server/device/port.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "absl/strings/str_cat.h"
#include "tests/device/harness.h"

namespace anex::device {
namespace {

FunctionInfo Ports() {
  const auto program = ReadProgram(
      MainText("tensor<fp16, [2, 3]> x, state<tensor<fp16, [4]>> s, tensor<int32, [5]> n",
               "tensor<fp16, [4]> old = read_state(input = s);"
               "tensor<fp16, [2, 3]> y = add(x = x, y = x);",
               "y, old"));
  return *DescribePorts(*program->Find("main"), MakePackedLayout);
}

// What CheckBindings says after `spoil` has been at good bindings.
template <typename F>
std::string Refusal(F spoil) {
  const FunctionInfo info = Ports();
  std::vector<BoundPort> ports = MemoryFor(info);
  EXPECT_TRUE(CheckBindings(info, ports).ok());
  spoil(ports);
  const absl::Status status = CheckBindings(info, ports);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(PortTest, PortsAreInputsThenStatesThenOutputs) {
  std::string order;
  for (const PortInfo& port : Ports().ports) order += port.name + " ";
  EXPECT_EQ(order, "x n s y old ");
}

TEST(PortTest, AnInputThatIsReturnedIsAPortOfAnotherName) {
  const auto names = [](std::string_view inputs, std::string_view body, std::string_view outputs) {
    const auto program = ReadProgram(MainText(inputs, body, outputs));
    std::string all;
    const FunctionInfo info = *DescribePorts(*program->Find("main"), MakePackedLayout);
    for (const PortInfo& port : info.ports) {
      all += port.name + (port.direction == PortDirection::kOutput ? "! " : " ");
    }
    return all;
  };
  EXPECT_EQ(names("fp16 x, fp16 y", "", "y, x"), "x y y_out! x_out! ");
  EXPECT_EQ(names("fp16 x, fp16 x_out", "", "x"), "x x_out x_out_out! ");
  EXPECT_EQ(names("fp16 x", "fp16 x_out = relu(x = x);", "x, x_out"), "x x_out_out! x_out! ");
}

TEST(PortTest, ALayoutRuleThatRefusesNamesThePort) {
  const auto program =
      ReadProgram(MainText("tensor<fp16, [2]> big", "tensor<fp16, [2]> y = relu(x = big);", "y"));
  const auto info = DescribePorts(*program->Find("main"),
                                  [](DType, const Shape&) -> absl::StatusOr<TensorLayout> {
                                    return absl::ResourceExhaustedError("too large");
                                  });
  EXPECT_EQ(info.status(), absl::ResourceExhaustedError("port 'big': too large"));
}

TEST(PortTest, EveryInputAndOutputIsBoundExactlyOnce) {
  EXPECT_EQ(Refusal([](auto& ports) { ports.pop_back(); }), "port 'old': is not bound");
  EXPECT_EQ(Refusal([](auto& ports) { ports.push_back(ports[0]); }), "port 'x': is bound twice");
  EXPECT_EQ(Refusal([](auto& ports) { ports[0].port = 9; }),
            "function 'main' has 5 ports; there is no port 9");
  EXPECT_EQ(Refusal([](auto& ports) { ports[1].region = nullptr; }),
            "port 'n': no memory was given");
}

TEST(PortTest, AStateMayBeLeftOut) {
  const FunctionInfo info = Ports();
  std::vector<BoundPort> ports = MemoryFor(info);
  ports.erase(ports.begin() + 2);
  EXPECT_TRUE(CheckBindings(info, ports).ok());
}

TEST(PortTest, AnotherShapeOrTypeIsRefusedWithBoth) {
  const std::string message = Refusal([](auto& ports) {
    ports[0].layout = *MakePackedLayout(DType::kFp16, {3, 2});
  });
  EXPECT_NE(message.find("[3, 2]"), std::string::npos) << message;
  EXPECT_NE(message.find("[2, 3]"), std::string::npos) << message;
  Refusal([](auto& ports) { ports[1].layout = *MakePackedLayout(DType::kFp32, {5}); });
  Refusal([](auto& ports) { ports[0].layout.strides[0] = -6; });
}

TEST(PortTest, TheSameElementsUnderAnotherShapeAreTaken) {
  const FunctionInfo info = Ports();
  std::vector<BoundPort> ports = MemoryFor(info);
  ports[0].layout = *MakePackedLayout(DType::kFp16, {1, 2, 1, 3});
  EXPECT_TRUE(CheckBindings(info, ports).ok());
}

TEST(PortTest, ARegionThatIsTooSmallIsRefused) {
  const auto program = ReadProgram(
      MainText("tensor<fp32, [300, 100]> x", "tensor<fp32, [300, 100]> y = relu(x = x);", "y"));
  const FunctionInfo info = *DescribePorts(*program->Find("main"), MakePackedLayout);
  std::vector<BoundPort> ports = MemoryFor(info);
  ports[1].region = *shm::CreateHeapRegion(100000);
  const absl::Status status = CheckBindings(info, ports);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("port 'y': needs 120000 bytes"), std::string::npos) << status;
}

TEST(PortTest, AnOutputMayNotShareMemoryWithAnythingElse) {
  EXPECT_NE(Refusal([](auto& ports) {
              ports[3].region = ports[0].region;
            }).find("port 'y': is written by the program but shares memory with port 'x'"),
            std::string::npos);
  Refusal([](auto& ports) { ports[4].region = ports[2].region; });  // an output with a state
}

// Part of a memory that several ports lie in.
class Window final : public shm::SharedRegion {
 public:
  Window(std::byte* data, uint64_t size) : data_(data), size_(size) {}
  std::byte* data() override { return data_; }
  const std::byte* data() const override { return data_; }
  uint64_t size() const override { return size_; }
  shm::RegionAccess access() const override { return shm::RegionAccess::kReadWrite; }
  absl::StatusOr<shm::OwnedDescriptor> Share(shm::RegionAccess) const override {
    return absl::UnimplementedError("a test's memory");
  }

 private:
  std::byte* const data_;
  const uint64_t size_;
};

// Any way in which ranges can lie against one another, against a look at every pair.
TEST(PortTest, EveryOverlapWithAnOutputIsFound) {
  FunctionInfo info{"main", {}};
  for (const int64_t size : {7, 2, 19, 3, 11}) {
    const bool input = info.ports.size() < 3;
    info.ports.push_back({absl::StrCat("p", size),
                          input ? PortDirection::kInput : PortDirection::kOutput,
                          *MakePackedLayout(DType::kInt8, {size})});
  }
  std::vector<std::byte> memory(128);
  std::mt19937 random(5);
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::vector<BoundPort> ports;
    bool overlap = false;
    for (uint32_t i = 0; i < info.ports.size(); ++i) {
      const uint64_t size = SpanBytes(info.ports[i].layout);
      std::byte* const at = memory.data() + random() % (memory.size() - size);
      ports.push_back({i, std::make_shared<Window>(at, size), info.ports[i].layout});
      for (uint32_t j = 0; j < i && i >= 3; ++j) {
        const std::byte* const other = ports[j].region->data();
        overlap = overlap || (at < other + ports[j].region->size() && other < at + size);
      }
    }
    EXPECT_EQ(CheckBindings(info, ports).ok(), !overlap);
    refused += overlap;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 4800);
}

// Of a text of a few megabytes.
TEST(PortTest, AHundredThousandOutputsAreCheckedInNoTime) {
  FunctionInfo info{"main", {}};
  std::vector<BoundPort> ports;
  std::vector<std::byte> memory(100'000 * 4);
  for (uint32_t i = 0; i < 100'000; ++i) {
    info.ports.push_back(
        {absl::StrCat("y", i), PortDirection::kOutput, *MakePackedLayout(DType::kFp32, {1})});
    ports.push_back(
        {i, std::make_shared<Window>(memory.data() + size_t{i} * 4, 4), info.ports.back().layout});
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(CheckBindings(info, ports).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(PortTest, TwoInputsMayShareMemory) {
  const auto program = ReadProgram(MainText("tensor<fp16, [2]> a, tensor<fp16, [2]> b",
                                            "tensor<fp16, [2]> y = add(x = a, y = b);", "y"));
  const FunctionInfo info = *DescribePorts(*program->Find("main"), MakePackedLayout);
  std::vector<BoundPort> ports = MemoryFor(info);
  ports[1].region = ports[0].region;
  EXPECT_TRUE(CheckBindings(info, ports).ok());
}

}  // namespace
}  // namespace anex::device
