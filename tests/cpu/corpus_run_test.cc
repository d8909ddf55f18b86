// Every whole program (tests/mil/corpus.h), from text to numbers on the cpu device: weights of the
// right size are made up in the official layout, inputs too, both small enough that nothing
// overflows. The default mode has to agree with the reference, and what comes out has to be finite.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "server/device/cpu/cpu_device.h"
#include "server/mil/front_end.h"
#include "server/mil/render_text.h"
#include "tests/device/harness.h"
#include "tests/device/whole_program.h"
#include "tests/mil/corpus.h"

namespace anex::device::cpu {
namespace {

// 12 groups do not divide its 256 outputs: no device can run it, the front end says why.
constexpr std::string_view kUnevenGroups = "maderix_test_conv_attn3__grouped.mil";

// Of the largest value of a tensor. Both modes round each operation once from a wide sum and differ
// by a unit of fp16 (2^-11) where a sum lies on the edge; through a dozen operations in a row a few
// of those add up.
constexpr double kTolerance = 1.0 / 128;

// Multiplications of the operations that have many.
double WorkOf(const mil::Program& program) {
  double work = 0;
  for (const mil::Function& function : program.functions) {
    const auto elements = [&](mil::ValueId id) {
      return static_cast<double>(function.value(id).type.tensor.shape.ElementCount());
    };
    for (const mil::Operation& op : function.operations) {
      const char* weight = op.op == "matmul" ? "y" : "weight";
      if (op.op != "matmul" && op.op != "conv" && op.op != "linear") continue;
      const Shape& w = function.value(op.Single(weight)).type.tensor.shape;
      const Shape& y = function.value(op.results[0]).type.tensor.shape;
      const double outputs = static_cast<double>(op.op == "matmul" ? y[y.rank() - 1] : w[0]);
      const double batch = op.op == "matmul" && w.rank() > 2
                               ? static_cast<double>(w.ElementCount()) /
                                     static_cast<double>(w[w.rank() - 1] * w[w.rank() - 2])
                               : 1;
      work += elements(op.results[0]) * elements(op.Single(weight)) / outputs / batch;
    }
  }
  return work;
}

double Largest(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

void ExpectSame(const Tensor& reference, const Tensor& found, const std::string& name) {
  ASSERT_EQ(reference.dtype, found.dtype) << name;
  const std::vector<double> want = ValuesOf(reference), have = ValuesOf(found);
  ASSERT_EQ(want.size(), have.size()) << name;
  const double slack = IsFloat(reference.dtype) ? kTolerance * Largest(want) : 0;
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_TRUE(std::isfinite(want[i])) << name << " element " << i << " is " << want[i];
    ASSERT_NEAR(have[i], want[i], slack) << name << " element " << i;
  }
}

// A program whose outputs are all zero would agree in any mode.
void ExpectSomething(const Tensors& outputs) {
  double largest = 0;
  for (const auto& [name, tensor] : outputs) largest = std::max(largest, Largest(ValuesOf(tensor)));
  EXPECT_GT(largest, 1e-6) << "every output is zero";
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& path : mil::AllPrograms()) {
    if (path.filename() != kUnevenGroups) names.push_back(path.stem().string());
  }
  if (mil::CorpusFiles().empty()) names.push_back("");  // so that the skip below is seen
  return names;
}

std::filesystem::path PathOf(const std::string& name) {
  const auto files = mil::AllPrograms();
  const auto found =
      std::ranges::find(files, name, [](const auto& p) { return p.stem().string(); });
  return found == files.end() ? std::filesystem::path() : *found;
}

class CorpusRun : public ::testing::TestWithParam<std::string> {};

// Half a second for the reference on an idle core.
constexpr double kWholeInReference = 1 << 27;

std::shared_ptr<const mil::Program> Checked(const ProgramSource& source) {
  const mil::FrontEndResult read = mil::Read(source);
  EXPECT_NE(read.program, nullptr) << mil::RenderText(read.diagnostics);
  return read.program;
}

void RunInDefault(Device& device, const std::shared_ptr<const mil::Program>& program) {
  for (const mil::Function& function : program->functions) {
    SCOPED_TRACE(function.name);
    Bound bound(device, program, {}, function.name);
    ASSERT_TRUE(bound.ok());
    const Tensors outputs = bound.Run(InputsFor(bound.info()));
    ASSERT_EQ(outputs.size(), function.outputs.size());
    for (const auto& [name, tensor] : outputs) ExpectSame(tensor, tensor, name);  // finite
    ExpectSomething(outputs);
  }
}

void RunInBoth(Device& device, const std::shared_ptr<const mil::Program>& program) {
  for (const mil::Function& function : program->functions) {
    SCOPED_TRACE(function.name);
    Bound plain(device, program, {{"numerics", "default"}}, function.name);
    Bound reference(device, program, {{"numerics", "reference"}}, function.name);
    ASSERT_TRUE(plain.ok() && reference.ok());
    const Tensors inputs = InputsFor(plain.info());
    const Tensors found = plain.Run(inputs), expected = reference.Run(inputs);
    ASSERT_EQ(found.size(), function.outputs.size());
    for (const auto& [name, tensor] : expected) ExpectSame(tensor, found.at(name), name);
    ExpectSomething(expected);
  }
}

TEST_P(CorpusRun, GivesFiniteNumbersThatBothModesAgreeOn) {
  const std::filesystem::path path = PathOf(GetParam());
  if (path.empty()) GTEST_SKIP() << "no corpus beside the source tree";
  const std::string name = path.filename().string(), text = mil::ReadWhole(path);
  const std::unique_ptr<Device> device = MakeCpuDevice();
  const auto program = Checked(SourceOf(name, text));
  ASSERT_NE(program, nullptr);
  for (const Lacking& lacking : device->FindLacking(*program)) ADD_FAILURE() << lacking.what;
  if (WorkOf(*program) <= kWholeInReference || std::getenv("ANEX_CORPUS_FULL") != nullptr) {
    RunInBoth(*device, program);
    return;
  }
  RunInDefault(*device, program);
  const auto small = Checked(SourceOf(name, InSmall(text)));
  ASSERT_NE(small, nullptr);
  ASSERT_LE(WorkOf(*small), kWholeInReference);
  RunInBoth(*device, small);
}

INSTANTIATE_TEST_SUITE_P(Programs, CorpusRun, ::testing::ValuesIn(Names()), [](const auto& info) {
  std::string name = info.param.empty() ? "None" : info.param;
  std::ranges::replace_if(
      name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace anex::device::cpu
