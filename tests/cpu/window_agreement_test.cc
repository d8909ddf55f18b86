// Convolutions, pools and resizes of random shapes: the default mode against the reference. The
// cases that nobody thinks of are at the borders: windows that hang over, strides beyond the
// kernel, padding beyond the input.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/device/cpu/cpu_device.h"
#include "server/mil/front_end.h"
#include "server/mil/render_text.h"
#include "tests/cpu/ulps.h"
#include "tests/device/harness.h"

namespace anex::device::cpu {
namespace {

using Numbers = std::vector<int64_t>;

std::string TypeText(const Numbers& dims) {
  return absl::StrCat("tensor<fp16, [", absl::StrJoin(dims, ", "), "]>");
}
std::string Ints(const std::string& name, const Numbers& values) {
  return absl::StrCat(name, " = tensor<int32, [", values.size(), "]>([",
                      absl::StrJoin(values, ", "), "])");
}

class RandomWindow {
 public:
  explicit RandomWindow(uint32_t seed) : random_(seed), spatial_(static_cast<size_t>(Pick(1, 3))) {
    for (size_t i = 0; i < spatial_; ++i) {
      size_.push_back(Pick(1, spatial_ == 3 ? 6 : 13));
      kernel_.push_back(Pick(1, 4));
      strides_.push_back(Pick(1, 4));
      dilations_.push_back(Pick(1, 3));
      pad_.push_back(Pick(0, 5));
      pad_.push_back(Pick(0, 5));
    }
    const char* const kTypes[] = {"valid", "same", "same_lower", "custom", "custom"};
    pad_type_ = kTypes[Pick(0, 4)];
  }

  int64_t Pick(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random_() % static_cast<uint64_t>(high - low + 1));
  }

  std::string Conv() {
    const int64_t groups = Pick(1, 3), each = Pick(1, 3);
    x_ = With({Pick(1, 2), groups * each}, size_);
    weight_ = With({groups * Pick(1, 3), each}, kernel_);
    return absl::StrCat("conv(x = x, weight = w, groups = int32(", groups, "), ", Window(true),
                        ")");
  }
  std::string ConvTranspose() {
    const int64_t groups = Pick(1, 3);
    x_ = With({Pick(1, 2), groups * Pick(1, 3)}, size_);
    weight_ = With({x_[1], Pick(1, 3)}, kernel_);
    if (pad_type_ == "same_lower") pad_type_ = "valid";
    return absl::StrCat("conv_transpose(x = x, weight = w, groups = int32(", groups, "), ",
                        Window(true), ")");
  }
  std::string Pool() {
    x_ = With({Pick(1, 2), Pick(1, 3)}, size_);
    weight_ = {1};
    const int64_t which = Pick(0, spatial_ == 3 ? 1 : 2);
    const char* const kOps[] = {"max_pool", "avg_pool", "l2_pool"};
    const bool ceil = spatial_ < 3 && pad_type_ != "same" && Pick(0, 1) == 1;
    if (ceil) {
      for (size_t i = 0; i < spatial_; ++i) pad_[2 * i + 1] = pad_[2 * i];
    }
    return absl::StrCat(
        kOps[which], "(x = x, ", Ints("kernel_sizes", kernel_), ", ", Window(false),
        ceil ? ", ceil_mode = bool(true)" : "",
        which == 1 && Pick(0, 1) == 1 ? ", exclude_padding_from_average = bool(true))" : ")");
  }
  std::string Resize() {
    x_ = {Pick(1, 3), Pick(1, 9), Pick(1, 9)};
    weight_ = {1};
    const char* const kModes[] = {"DEFAULT", "STRICT_ALIGN_CORNERS", "ALIGN_CORNERS",
                                  "OFFSET_CORNERS", "UNALIGN_CORNERS"};
    return absl::StrCat("resize(x = x, ", Ints("shape", {Pick(0, 17), Pick(0, 17)}),
                        ", resized_dims = uint32(2), sampling_mode = string(\"", kModes[Pick(0, 4)],
                        "\"), interpolation_mode = string(\"",
                        Pick(0, 2) == 0 ? "NEAREST_NEIGHBOR" : "LINEAR", "\"))");
  }

  // The program around `call`, with the result type that inference asks for; empty if the window
  // does not fit.
  std::string Program(const std::string& call) const {
    const std::string inputs = absl::StrCat(TypeText(x_), " x, ", TypeText(weight_), " w");
    const mil::FrontEndResult wrong = mil::Read(
        {.name = "t.mil",
         .text = MainText(inputs, absl::StrCat("tensor<fp64, [7, 7, 7, 7, 7, 7]> y = ", call, ";"),
                          "y")},
        mil::MissingWeights::kNote, {});
    constexpr std::string_view kPrefix = "declare it as ";
    for (const auto& diagnostic : wrong.diagnostics) {
      if (!diagnostic.help.starts_with(kPrefix)) continue;
      return MainText(
          inputs, absl::StrCat(diagnostic.help.substr(kPrefix.size()), " y = ", call, ";"), "y");
    }
    return "";
  }
  Tensors Inputs() const {
    return {{"x", NoiseTensor(DType::kFp16, *Shape::Make(x_), 1)},
            {"w", NoiseTensor(DType::kFp16, *Shape::Make(weight_), 2)}};
  }

 private:
  static Numbers With(Numbers first, const Numbers& rest) {
    first.insert(first.end(), rest.begin(), rest.end());
    return first;
  }
  std::string Window(bool dilated) const {
    return absl::StrCat(Ints("strides", strides_), ", ",
                        dilated ? Ints("dilations", dilations_) + ", " : "", Ints("pad", pad_),
                        ", pad_type = string(\"", pad_type_, "\")");
  }

  std::mt19937 random_;
  const size_t spatial_;
  Numbers size_, kernel_, strides_, dilations_, pad_, x_, weight_;
  std::string pad_type_;
};

void ExpectAgreement(std::string (RandomWindow::*call)()) {
  const auto device = MakeCpuDevice({.threads = 3});
  int ran = 0;
  for (uint32_t seed = 0; seed < 250; ++seed) {
    RandomWindow window(seed);
    const std::string text = window.Program((window.*call)());
    if (text.empty()) continue;
    ++ran;
    SCOPED_TRACE(text);
    const auto program = ReadProgram(text);
    const Tensors inputs = window.Inputs();
    const Tensors right = Bound(*device, program, {{"numerics", "reference"}}).Run(inputs);
    const Tensors fast = Bound(*device, program).Run(inputs);
    ExpectClose(right.at("y"), fast.at("y"), 1, 1e-5);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(ran, 100);  // most windows fit
}

TEST(WindowAgreementTest, Convolutions) { ExpectAgreement(&RandomWindow::Conv); }
TEST(WindowAgreementTest, TransposedConvolutions) { ExpectAgreement(&RandomWindow::ConvTranspose); }
TEST(WindowAgreementTest, Pools) { ExpectAgreement(&RandomWindow::Pool); }
TEST(WindowAgreementTest, Resizes) { ExpectAgreement(&RandomWindow::Resize); }

}  // namespace
}  // namespace anex::device::cpu
