#include "server/device/cpu/window_shape.h"

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

// Zeros before the first element of axis number `i` of the program, `at` here. "same" shares the
// padding evenly and puts an odd one behind ("same_lower": in front).
int64_t PadOf(const std::string& type, const std::vector<int64_t>& pad, const WindowShape& window,
              int i, int at) {
  if (type == "valid") return 0;
  if (type == "custom") return At(pad, 2 * i, 0);
  const int64_t reach =
      (window.out[at] - 1) * window.stride[at] + (window.kernel[at] - 1) * window.dilation[at];
  const int64_t all = std::max<int64_t>(0, reach + 1 - window.in[at]);
  return type == "same" ? all / 2 : all - all / 2;
}

}  // namespace

absl::Status ReadWindow(const OpSite& site, WindowShape& window) {
  const std::string type = site.Has("pad_type") ? site.Text("pad_type") : "valid";
  if (type != "valid" && type != "custom" && type != "same" && type != "same_lower") {
    return site.Unsupported(absl::StrCat("unknown pad_type ", type));
  }
  const std::vector<int64_t> strides = IntsOrNone(site, "strides");
  const std::vector<int64_t> dilations = IntsOrNone(site, "dilations");
  const std::vector<int64_t> pad = IntsOrNone(site, "pad");
  for (int i = 0; i < window.spatial; ++i) {
    const int at = window.Place(i);
    window.stride[at] = At(strides, i, 1);
    window.dilation[at] = At(dilations, i, 1);
    window.pad[at] = PadOf(type, pad, window, i, at);
  }
  return absl::OkStatus();
}

absl::Status ReadSpatial(const OpSite& site, const Shape& shape, WindowShape& window,
                         Spatial& size) {
  window.spatial = shape.rank() - 2;
  if (window.spatial < 1 || window.spatial > kMaxSpatial) {
    return site.Unsupported("only 1 to 3 spatial axes");
  }
  for (int i = 0; i < window.spatial; ++i) size[window.Place(i)] = shape[i + 2];
  return absl::OkStatus();
}

}  // namespace anex::device::cpu
