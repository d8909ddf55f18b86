// What a program with states computes, and what it computes once they are tensors that go in and
// come out: run side by side on the cpu device, which has states.
#include "server/device/apple/state_lowering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/device/cpu/cpu_device.h"
#include "server/mil/front_end.h"
#include "server/mil/printer.h"
#include "tests/device/harness.h"

namespace anex::device::apple {
namespace {

using ::testing::IsEmpty;

constexpr int kRuns = 4;

Tensor Noise(uint32_t seed) { return NoiseTensor(DType::kFp16, {3}, seed, 4.0); }

// Runs both as often as states need to show: inputs x and z change, and so do the states.
class Beside {
 public:
  explicit Beside(const std::string& inputs, const std::string& body, const std::string& outputs)
      : cpu_(cpu::MakeCpuDevice({.threads = 1})) {
    program_ = ReadProgram(MainText(inputs, body, outputs));
    if (program_ == nullptr) return;
    lowered_ = WithoutStates(*program_);
    if (lowered_.program == nullptr) return;
    // As the framework gets it: from its text.
    const mil::FrontEndResult read =
        mil::Read(mil::Print(*lowered_.program, {.spell_out = true, .build_info = {}}));
    EXPECT_NE(read.program, nullptr)
        << (read.diagnostics.empty() ? "" : read.diagnostics.front().message);
    again_ = read.program;
  }

  const std::vector<StateLink>& links() const { return lowered_.links.at(0); }

  void Agree() {
    ASSERT_NE(again_, nullptr);
    Bound stateful(*cpu_, program_), plain(*cpu_, again_);
    for (const PortInfo& port : plain.info().ports) {
      EXPECT_NE(port.direction, PortDirection::kState) << port.name;
    }
    for (uint32_t run = 0; run < kRuns; ++run) {
      for (const PortInfo& port : stateful.info().ports) {
        if (port.direction != PortDirection::kInput) continue;
        const Tensor value = Noise(10 * run + static_cast<uint32_t>(port.name[0]));
        stateful.Set(port.name, value);
        plain.Set(port.name, value);
      }
      const Tensors expected = stateful.Run(), found = plain.Run();
      for (const auto& [name, tensor] : expected) {
        EXPECT_EQ(ValuesOf(found.at(name)), ValuesOf(tensor)) << name << " of run " << run;
      }
      for (const StateLink& link : links()) {
        if (!link.next.empty()) plain.Set(link.state, found.at(link.next));
        EXPECT_EQ(ValuesOf(plain.Get(link.state)), ValuesOf(stateful.Get(link.state)))
            << link.state << " after run " << run;
      }
    }
  }

 private:
  const std::unique_ptr<Device> cpu_;
  std::shared_ptr<const mil::Program> program_, again_;
  StatelessProgram lowered_;
};

const std::string kX = "tensor<fp16, [3]> x";
const std::string kS = "state<tensor<fp16, [3]>> s", kT = "state<tensor<fp16, [3]>> t";

TEST(StateLowering, AProgramWithoutStatesStaysAsItIs) {
  const auto program = ReadProgram(MainText(kX, "tensor<fp16, [3]> y = relu(x = x);", "y"));
  const StatelessProgram lowered = WithoutStates(*program);
  EXPECT_EQ(lowered.program, nullptr);
  EXPECT_THAT(lowered.links.at(0), IsEmpty());
}

TEST(StateLowering, ASumOverRuns) {
  Beside beside(kX + ", " + kS,
                "tensor<fp16, [3]> old = read_state(input = s);"
                "tensor<fp16, [3]> sum = add(x = old, y = x);"
                "write_state(data = sum, input = s);"
                "tensor<fp16, [3]> y = mul(x = sum, y = x);",
                "y, sum");
  ASSERT_EQ(beside.links().size(), 1u);
  EXPECT_EQ(beside.links()[0].next, "s_next");
  beside.Agree();
}

TEST(StateLowering, WhatWasReadBeforeAWriteStaysWhatItWas) {
  Beside(kX + ", " + kS,
         "tensor<fp16, [3]> before = read_state(input = s);"
         "tensor<fp16, [3]> twice = add(x = x, y = x);"
         "write_state(data = twice, input = s);"
         "tensor<fp16, [3]> after = read_state(input = s);"
         "tensor<fp16, [3]> y = sub(x = before, y = after);",
         "y, before, after")
      .Agree();
}

TEST(StateLowering, AnUpdateGivesBackWhatItWrote) {
  Beside(kX + ", " + kS,
         "tensor<fp16, [3]> old = read_state(input = s);"
         "tensor<fp16, [3]> sum = add(x = old, y = x);"
         "tensor<fp16, [3]> now = coreml_update_state(state = s, value = sum);"
         "tensor<fp16, [3]> y = sub(x = now, y = old);",
         "now, y")
      .Agree();
}

TEST(StateLowering, TheLastOfSeveralWritesStays) {
  Beside(kX + ", tensor<fp16, [3]> z, " + kS,
         "write_state(data = z, input = s);"
         "tensor<fp16, [3]> first = read_state(input = s);"
         "tensor<fp16, [3]> both = sub(x = first, y = x);"
         "write_state(data = both, input = s);"
         "write_state(data = x, input = s);"
         "tensor<fp16, [3]> y = mul(x = both, y = first);",
         "y")
      .Agree();
}

TEST(StateLowering, TwoStatesChangePlaces) {
  Beside beside(kS + ", " + kX + ", " + kT,
                "tensor<fp16, [3]> a = read_state(input = s);"
                "tensor<fp16, [3]> b = read_state(input = t);"
                "tensor<fp16, [3]> c = add(x = b, y = x);"
                "write_state(data = c, input = s);"
                "write_state(data = a, input = t);"
                "tensor<fp16, [3]> y = sub(x = a, y = b);",
                "y");
  EXPECT_EQ(beside.links().size(), 2u);
  beside.Agree();
}

TEST(StateLowering, AStateThatIsOnlyReadHasNoWayOut) {
  Beside beside(kX + ", " + kS + ", " + kT,
                "tensor<fp16, [3]> a = read_state(input = s);"
                "tensor<fp16, [3]> y = add(x = a, y = x);"
                "write_state(data = y, input = t);",
                "y");
  ASSERT_EQ(beside.links().size(), 2u);
  EXPECT_EQ(beside.links()[0].next, "");
  EXPECT_EQ(beside.links()[1].next, "t_next");
  beside.Agree();
}

TEST(StateLowering, AConstantAndAnInputCanBeWritten) {
  Beside(kX + ", " + kS + ", " + kT,
         "tensor<fp16, [3]> a = read_state(input = s);"
         "tensor<fp16, [3]> b = read_state(input = t);"
         "write_state(data = tensor<fp16, [3]>([1, -2, 0.5]), input = s);"
         "write_state(data = x, input = t);"
         "tensor<fp16, [3]> y = sub(x = a, y = b);",
         "y")
      .Agree();
}

TEST(StateLowering, ANameThatIsTakenIsNotTakenAgain) {
  Beside beside("tensor<fp16, [3]> s_next, " + kS,
                "tensor<fp16, [3]> old = read_state(input = s);"
                "tensor<fp16, [3]> s_next_ = sub(x = old, y = s_next);"
                "write_state(data = s_next_, input = s);",
                "s_next_");
  ASSERT_EQ(beside.links().size(), 1u);
  EXPECT_EQ(beside.links()[0].next, "s_next__");
  beside.Agree();
}

}  // namespace
}  // namespace anex::device::apple
