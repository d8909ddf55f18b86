#include "server/device/cpu/conv_shape.h"

namespace anex::device::cpu {
namespace {

absl::StatusOr<ConvShape> Read(const OpSite& site, bool transposed) {
  const Shape &x = site.TypeOf("x").shape, &weight = site.TypeOf("weight").shape;
  const Shape& out = site.ResultType().shape;
  ConvShape conv;
  absl::Status status = ReadSpatial(site, x, conv, transposed ? conv.out : conv.in);
  status.Update(ReadSpatial(site, out, conv, transposed ? conv.in : conv.out));
  status.Update(ReadSpatial(site, weight, conv, conv.kernel));
  if (status.ok()) status = ReadWindow(site, conv);
  if (!status.ok()) return status;
  conv.batch = x[0];
  conv.groups = site.IntOr("groups", 1);
  conv.in_channels = x[1] / conv.groups;
  conv.out_channels = out[1];
  return conv;
}

}  // namespace

bool ConvShape::pointwise() const {
  return kernel_size() == 1 && in == out && stride == Spatial{1, 1, 1} && pad == Spatial{0, 0, 0};
}

absl::StatusOr<ConvShape> ReadConv(const OpSite& site) { return Read(site, false); }
absl::StatusOr<ConvShape> ReadConvTranspose(const OpSite& site) { return Read(site, true); }

}  // namespace anex::device::cpu
