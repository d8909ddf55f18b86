#include "server/device/cpu/conv_shape.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace anex::device::cpu {
namespace {

int64_t At(const std::vector<int64_t>& values, int i, int64_t otherwise) {
  return i < static_cast<int>(values.size()) ? values[i] : otherwise;
}

std::vector<int64_t> IntsOrNone(const OpSite& site, std::string_view argument) {
  return site.Has(argument) ? site.Ints(argument) : std::vector<int64_t>();
}

// Zeros before the first element of axis `i`. "same" shares the padding evenly and puts an odd one
// behind ("same_lower": in front).
absl::StatusOr<int64_t> PadOf(const OpSite& site, const ConvShape& conv, int i) {
  const std::string type = site.Has("pad_type") ? site.Text("pad_type") : "valid";
  if (type == "valid") return 0;
  if (type == "custom") return At(IntsOrNone(site, "pad"), 2 * i, 0);
  if (type != "same" && type != "same_lower") {
    return site.Unsupported(absl::StrCat("unknown pad_type ", type));
  }
  const int64_t reach =
      (conv.out[i] - 1) * conv.stride[i] + (conv.kernel[i] - 1) * conv.dilation[i];
  const int64_t all = std::max<int64_t>(0, reach + 1 - conv.in[i]);
  return type == "same" ? all / 2 : all - all / 2;
}

}  // namespace

bool ConvShape::pointwise() const {
  return kernel_size() == 1 && in == out && stride == std::array<int64_t, 3>{1, 1, 1} &&
         pad == std::array<int64_t, 3>{0, 0, 0};
}

absl::StatusOr<ConvShape> ReadConv(const OpSite& site) {
  const Shape &x = site.TypeOf("x").shape, &weight = site.TypeOf("weight").shape;
  const Shape& out = site.ResultType().shape;
  ConvShape conv;
  conv.spatial = x.rank() - 2;
  if (conv.spatial < 1 || conv.spatial > kMaxSpatial) {
    return site.Unsupported("only 1 to 3 spatial axes");
  }
  conv.batch = x[0];
  conv.groups = site.IntOr("groups", 1);
  conv.in_channels = weight[1];
  conv.out_channels = weight[0] / conv.groups;
  const std::vector<int64_t> strides = IntsOrNone(site, "strides");
  const std::vector<int64_t> dilations = IntsOrNone(site, "dilations");
  for (int i = 0; i < conv.spatial; ++i) {
    conv.in[i] = x[i + 2];
    conv.out[i] = out[i + 2];
    conv.kernel[i] = weight[i + 2];
    conv.stride[i] = At(strides, i, 1);
    conv.dilation[i] = At(dilations, i, 1);
    absl::StatusOr<int64_t> pad = PadOf(site, conv, i);
    if (!pad.ok()) return pad.status();
    conv.pad[i] = *pad;
  }
  return conv;
}

}  // namespace anex::device::cpu
