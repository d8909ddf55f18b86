// Every operation in both modes against what numpy computed (golden.py, make_golden*.py).

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/device/cpu/cpu_device.h"
#include "server/device/cpu/op_table.h"
#include "tests/cpu/ulps.h"
#include "tests/device/harness.h"

namespace anex::device::cpu {
namespace {

using nlohmann::json;

// Every file of golden/, without its ".json".
std::vector<std::string> Families() {
  std::vector<std::string> families;
  for (const auto& file : std::filesystem::directory_iterator(ANEX_GOLDEN_DIR)) {
    if (file.path().extension() == ".json") families.push_back(file.path().stem().string());
  }
  std::ranges::sort(families);
  return families;
}

json ReadFamily(const std::string& family) {
  std::ifstream file(std::string(ANEX_GOLDEN_DIR) + "/" + family + ".json");
  EXPECT_TRUE(file.good()) << family;
  return json::parse(file);
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

Tensors ReadTensors(const json& from) {
  Tensors tensors;
  for (const auto& [name, tensor] : from.items()) tensors[name] = ReadTensor(tensor);
  return tensors;
}

struct Mode {
  std::string name;
  int threads;
};
void PrintTo(const Mode& it, std::ostream* out) { *out << it.name << ' ' << it.threads; }

class GoldenTest : public ::testing::TestWithParam<std::tuple<std::string, Mode>> {};

TEST_P(GoldenTest, AgreesWithNumpy) {
  const auto& [family, mode] = GetParam();
  const std::unique_ptr<Device> device = MakeCpuDevice({.threads = mode.threads});
  const json cases = ReadFamily(family);
  ASSERT_FALSE(cases.empty());
  for (const json& one : cases) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    Bound bound(*device, ReadProgram(one.at("text")), {{"numerics", mode.name}});
    ASSERT_TRUE(bound.ok());
    const Tensors found = bound.Run(ReadTensors(one.at("inputs")));
    const Tensors expected = ReadTensors(one.at("outputs"));
    const bool reference = mode.name == "reference";
    for (const auto& [name, tensor] : expected) {
      // The reference has no float accumulators; its functions are libm's in double.
      ExpectClose(tensor, found.at(name),
                  reference ? std::min(1, one.at("ulps").get<int>()) : one.at("ulps").get<int>(),
                  reference ? 0.0 : one.at("slack").get<double>(),
                  one.contains("zeros") ? Zeros::kAlike : Zeros::kSigned);
    }
    if (HasFailure()) return;  // the first case that fails is enough to read
  }
}

INSTANTIATE_TEST_SUITE_P(Cpu, GoldenTest,
                         ::testing::Combine(::testing::ValuesIn(Families()),
                                            ::testing::Values(Mode{"reference", 1},
                                                              Mode{"default", 1},
                                                              Mode{"default", 3})),
                         [](const auto& info) {
                           const Mode& mode = std::get<1>(info.param);
                           return std::get<0>(info.param) + ("_" + mode.name) +
                                  std::to_string(mode.threads);
                         });

// The operations that cases with an element of `type` show; "": of any type.
std::set<std::string, std::less<>> Shown(const std::string& type) {
  std::set<std::string, std::less<>> shown;
  for (const std::string& family : Families()) {
    for (const json& one : ReadFamily(family)) {
      const std::string text = one.at("text");
      if (!type.empty() && text.find("<" + type + ",") == std::string::npos) continue;
      for (size_t at = text.find("= "); at != std::string::npos; at = text.find("= ", at + 2)) {
        shown.insert(text.substr(at + 2, text.find_first_of("( ", at + 2) - at - 2));
      }
    }
  }
  return shown;
}

TEST(GoldenCoverageTest, EveryOperationOfTheTableHasAGoldenCase) {
  const auto shown = Shown("");
  for (const OpEntry& entry : OpEntries()) EXPECT_TRUE(shown.contains(entry.op)) << entry.op;
}

TEST(GoldenCoverageTest, OperationsOnFloatsHaveCasesInBothTypes) {
  // One loop in double for both types; of the last two, only the values differ from the dense form.
  const std::set<std::string_view> once = {"affine",
                                           "crop_resize",
                                           "resample",
                                           "resize",
                                           "constexpr_lut_to_sparse",
                                           "constexpr_sparse_blockwise_shift_scale"};
  const auto halves = Shown("fp16"), singles = Shown("fp32");
  for (const OpEntry& entry : OpEntries()) {
    if (once.contains(entry.op) || entry.op.starts_with("logical_")) continue;
    EXPECT_TRUE(halves.contains(entry.op)) << entry.op;
    EXPECT_TRUE(singles.contains(entry.op)) << entry.op;
  }
}

TEST(GoldenCoverageTest, WhatMovesElementsHasCasesInEveryType) {
  for (const char* type :
       {"int8", "uint8", "int16", "uint16", "uint32", "int64", "uint64", "bool"}) {
    const auto shown = Shown(type);
    for (const char* op : {"reshape",
                           "transpose",
                           "expand_dims",
                           "squeeze",
                           "flatten2d",
                           "identity",
                           "slice_by_index",
                           "slice_by_size",
                           "slice_update",
                           "tile",
                           "reverse",
                           "reverse_sequence",
                           "pad",
                           "band_part",
                           "sliding_windows",
                           "split",
                           "concat",
                           "stack",
                           "select",
                           "gather",
                           "gather_along_axis",
                           "gather_nd",
                           "one_hot",
                           "fill",
                           "fill_like",
                           "cast",
                           "equal",
                           "not_equal"}) {
      EXPECT_TRUE(shown.contains(op)) << op << " of " << type;
    }
  }
}

}  // namespace
}  // namespace anex::device::cpu
