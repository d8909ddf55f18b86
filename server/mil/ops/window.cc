#include "server/mil/ops/window.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::mil {

std::optional<Window> ReadWindow(OpContext& context, std::vector<int64_t> kernel, bool dilated) {
  constexpr std::string_view kPadTypes[] = {"valid", "same", "same_lower", "custom"};
  const size_t spatial = kernel.size();
  Window window{.kernel = std::move(kernel)};
  const std::vector<int64_t> ones(spatial, 1);
  context.FillInts("strides", ones);
  context.FillInts("pad", std::vector<int64_t>(2 * spatial, 0));
  if (dilated) context.FillInts("dilations", ones);
  if (!context.CheckInts("strides", spatial, 1) || !context.CheckInts("pad", 2 * spatial, 0) ||
      (dilated && !context.CheckInts("dilations", spatial, 1)) ||
      !context.CheckText("pad_type", kPadTypes)) {
    return std::nullopt;
  }
  window.strides = context.Ints("strides");
  window.dilations = dilated ? context.Ints("dilations") : ones;
  for (size_t i = 0; i < spatial; ++i) {
    // Far beyond any tensor; it keeps all sums of sizes, strides and paddings in 64 bits.
    if (window.kernel[i] - 1 <= (int64_t{1} << 46) / window.dilations[i]) continue;
    context.Fail("dilations", "a window spans more than 2^46 elements");
    return std::nullopt;
  }
  const std::string& pad_type = context.Text("pad_type");
  if (pad_type == "same_lower" && context.opset() < 16) {
    context.Fail("pad_type", "pad_type \"same_lower\" exists from ios16 on");
    return std::nullopt;
  }
  window.same = pad_type == "same" || pad_type == "same_lower";
  const std::vector<int64_t> pad = context.Ints("pad");
  for (size_t i = 0; i < spatial; ++i) {
    window.before.push_back(pad_type == "custom" ? pad[2 * i] : 0);
    window.after.push_back(pad_type == "custom" ? pad[2 * i + 1] : 0);
  }
  return window;
}

std::optional<std::vector<int64_t>> CountWindows(OpContext& context, const Window& window,
                                                 const Shape& x, bool round_up) {
  std::vector<int64_t> counts;
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    const int64_t size = x[static_cast<int>(i) + 2];
    const int64_t stride = window.strides[i];
    if (window.same) {
      counts.push_back((size - 1) / stride + 1);
      continue;
    }
    // Sizes and padding are below 2^47, kernel and dilation below 2^40 each: compare by division.
    const int64_t padded = size + window.before[i] + window.after[i];
    if ((window.kernel[i] - 1) > (padded - 1) / window.dilations[i]) {
      return context.Mismatch("x",
                              absl::StrCat("a window of ", window.kernel[i], " with dilation ",
                                           window.dilations[i], " does not fit into ", padded,
                                           " elements (spatial dimension ", i, " with padding)"));
    }
    const int64_t room = padded - window.Span(i);
    int64_t count = room / stride + 1;
    // With ceil_mode a last, partial window counts; with padding only if it starts before the
    // padding at the end (Core ML asks that of padded pools alone).
    if (round_up && room % stride != 0) {
      const bool is_padded = window.before[i] + window.after[i] > 0;
      if (!is_padded || count * stride < size + window.before[i]) ++count;
    }
    counts.push_back(count);
  }
  return counts;
}

}  // namespace anex::mil
