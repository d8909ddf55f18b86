// The programs of tests/programs against what another reader and interpreter of MIL, in numpy, says
// that they give (make_golden_programs.py): from text, weights and inputs to numbers.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/device/cpu/cpu_device.h"
#include "server/mil/render_text.h"
#include "tests/device/harness.h"
#include "tests/device/whole_program.h"
#include "tests/mil/corpus.h"

namespace anex::device::cpu {
namespace {

using nlohmann::json;

// Of the largest element. Both sides round once at each operation from a wide result, and differ
// where one of those lies on the edge: by a unit, which a few operations make two or three of.
double AllowedIn(const std::string& text) {
  return text.find("fp16") != std::string::npos ? std::ldexp(1, -8) : std::ldexp(1, -18);
}

Tensor ReadTensor(const json& from) {
  const auto dims = from.at("shape").get<std::vector<int64_t>>();
  Tensor tensor{*DTypeFromName(from.at("dtype").get<std::string>()), *Shape::Make(dims), {}};
  const std::string hex = from.at("hex");
  for (size_t i = 0; i < hex.size(); i += 2) {
    tensor.bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return tensor;
}

void ExpectNear(const Tensor& expected, const Tensor& found, double allowed) {
  ASSERT_EQ(expected.dtype, found.dtype);
  const std::vector<double> want = ValuesOf(expected), have = ValuesOf(found);
  ASSERT_EQ(want.size(), have.size());
  double largest = 0;
  for (const double value : want) largest = std::max(largest, std::fabs(value));
  const double off = IsFloat(expected.dtype) ? largest * allowed : 0;
  EXPECT_TRUE(off > 0 || !IsFloat(expected.dtype)) << "nothing but zeros proves nothing";
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_NEAR(have[i], want[i], off) << "element " << i;
  }
}

class ProgramsTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ProgramsTest, GiveWhatNumpyGives) {
  std::ifstream file(std::string(ANEX_SOURCE_DIR) + "/tests/programs/expected.json");
  const json all = json::parse(file);
  const auto files = mil::OwnPrograms();
  const auto path =
      std::ranges::find(files, GetParam(), [](const auto& p) { return p.stem().string(); });
  ASSERT_NE(path, files.end());
  const std::string text = mil::ReadWhole(*path);
  const mil::FrontEndResult read = mil::Read(SourceOf(GetParam(), text));
  ASSERT_NE(read.program, nullptr) << mil::RenderText(read.diagnostics);
  const std::unique_ptr<Device> device = MakeCpuDevice();
  for (const mil::Function& function : read.program->functions) {
    const json& expected = all.at(GetParam() + "." + function.name);
    ASSERT_EQ(expected.size(), function.outputs.size());
    for (const char* mode : {"reference", "default"}) {
      Bound bound(*device, read.program, {{"numerics", mode}}, function.name);
      ASSERT_TRUE(bound.ok());
      const Tensors found = bound.Run(InputsFor(bound.info()));
      for (const auto& [name, tensor] : expected.items()) {
        SCOPED_TRACE(function.name + ", " + name + ", " + mode);
        ExpectNear(ReadTensor(tensor), found.at(name), AllowedIn(text));
      }
    }
  }
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& path : mil::OwnPrograms()) names.push_back(path.stem().string());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Own, ProgramsTest, ::testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace anex::device::cpu
