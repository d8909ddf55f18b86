#include "tests/e2e/fixture.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "client/transport/grpc_transport.h"
#include "proto/wire/half.h"

namespace anex::test {
namespace {

void Put32(std::string& bytes, size_t at, uint32_t value) { std::memcpy(&bytes[at], &value, 4); }
void Put64(std::string& bytes, size_t at, uint64_t value) { std::memcpy(&bytes[at], &value, 8); }

Shape ShapeOf(std::initializer_list<int64_t> dims) { return Shape(dims); }

absl::StatusOr<SurfaceId> MakeSurface(Transport& transport, const Shape& shape) {
  SurfaceSpec spec;
  spec.dtype = DType::kFp16;
  spec.shape = shape;
  auto info = transport.CreateSurface(spec);
  if (!info.ok()) return info.status();
  return info->id;
}

}  // namespace

std::string MilProgram(const std::string& parameters, const std::string& body,
                       const std::string& outputs) {
  return absl::StrCat("program(1.3)\n{\n  func main<ios18>(", parameters, ") {\n", body,
                      "\n  } -> (", outputs, ");\n}\n");
}

ProgramSource MatmulProgram() {
  ProgramSource source;
  source.name = "matmul.mil";
  source.text = MilProgram("tensor<fp16, [4, 3]> x, tensor<fp16, [2, 4]> W",
                           "    tensor<fp16, [2, 3]> y = matmul(transpose_x = bool(false), "
                           "transpose_y = bool(false), x = W, y = x)[name = string(\"y\")];",
                           "y");
  return source;
}

ProgramSource ConvProgramWithoutWeights() {
  ProgramSource source;
  source.name = "conv.mil";
  source.text =
      MilProgram("tensor<fp16, [1, 2, 1, 5]> x",
                 "    tensor<fp16, [3, 2, 1, 1]> w = const()[name = string(\"w\"), val = "
                 "tensor<fp16, [3, 2, 1, 1]>"
                 "(BLOBFILE(path = string(\"@model_path/weights/w.bin\"), offset = uint64(64)))];\n"
                 "    tensor<fp16, [1, 3, 1, 5]> y = conv(dilations = tensor<int32, [2]>([1, 1]), "
                 "groups = int32(1), "
                 "pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string(\"valid\"), "
                 "strides = tensor<int32, [2]>([1, 1]), weight = w, x = x)[name = string(\"y\")];",
                 "y");
  return source;
}

std::shared_ptr<const std::string> WeightFile(const std::vector<float>& values) {
  std::string bytes(128 + 2 * values.size(), '\0');
  Put32(bytes, 0, 1);
  Put32(bytes, 4, 2);
  Put32(bytes, 64, 0xDEADBEEF);
  Put32(bytes, 68, 1);
  Put64(bytes, 72, 2 * values.size());
  Put64(bytes, 80, 128);
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = FloatToHalf(values[i]);
    std::memcpy(&bytes[128 + 2 * i], &half, 2);
  }
  return std::make_shared<const std::string>(std::move(bytes));
}

std::unique_ptr<Transport> ConnectTransport(const std::string& socket) {
  auto transport = ConnectGrpc(socket);
  EXPECT_TRUE(transport.ok()) << transport.status();
  return transport.ok() ? *std::move(transport) : nullptr;
}

std::unique_ptr<Transport> OpenSession(const std::string& socket, const std::string& name) {
  auto transport = ConnectTransport(socket);
  if (!transport) return nullptr;
  OpenSpec spec;
  spec.client_name = name;
  auto grant = transport->Open(spec);
  EXPECT_TRUE(grant.ok()) << grant.status();
  return transport;
}

int64_t OffsetOf(const TensorLayout& layout, size_t number) {
  int64_t offset = 0, left = static_cast<int64_t>(number);
  for (int axis = layout.shape.rank() - 1; axis >= 0; --axis) {
    offset += left % layout.shape[axis] * layout.strides[axis];
    left /= layout.shape[axis];
  }
  return offset;
}

void WriteHalves(Transport& transport, SurfaceId surface, const std::vector<float>& values) {
  auto region = transport.MapSurface(surface, Access::kReadWrite);
  const auto info = transport.DescribeSurface(surface);
  ASSERT_TRUE(region.ok() && info.ok()) << region.status() << info.status();
  ASSERT_GE(info->layout.shape.ElementCount(), static_cast<int64_t>(values.size()));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = FloatToHalf(values[i]);
    std::memcpy((*region)->data() + OffsetOf(info->layout, i), &half, 2);
  }
}

std::vector<float> ReadHalves(Transport& transport, SurfaceId surface, size_t count) {
  auto region = transport.MapSurface(surface, Access::kReadOnly);
  const auto info = transport.DescribeSurface(surface);
  EXPECT_TRUE(region.ok() && info.ok()) << region.status() << info.status();
  std::vector<float> values;
  for (size_t i = 0; region.ok() && info.ok() && i < count; ++i) {
    uint16_t half = 0;
    std::memcpy(&half, std::as_const(**region).data() + OffsetOf(info->layout, i), 2);
    values.push_back(HalfToFloat(half));
  }
  return values;
}

absl::Status RunsMatmul(const std::string& socket) {
  auto transport = OpenSession(socket, "still-serving");
  if (!transport) return absl::UnavailableError("no session");
  auto kernel = transport->Compile(MatmulProgram(), {});
  if (!kernel.ok()) return kernel.status();
  auto x = MakeSurface(*transport, ShapeOf({4, 3}));
  auto w = MakeSurface(*transport, ShapeOf({2, 4}));
  auto y = MakeSurface(*transport, ShapeOf({2, 3}));
  if (!x.ok() || !w.ok() || !y.ok()) return absl::InternalError("no surfaces");
  const std::vector<float> xs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const std::vector<float> ws = {1, -2, 3, -4, 0.5f, 0.25f, 2, 1};
  WriteHalves(*transport, *x, xs);
  WriteHalves(*transport, *w, ws);
  auto invocation = transport->Prepare({kernel->id, "", {{"x", *x}, {"W", *w}, {"y", *y}}});
  if (!invocation.ok()) return invocation.status();
  auto lane = transport->CreateLane({});
  if (!lane.ok()) return lane.status();
  Submission submission;
  submission.lane = *lane;
  submission.target = invocation->value();
  auto completion = transport->Evaluate(submission);
  if (!completion.ok()) return completion.status();
  if (!completion->status.ok()) return completion->status;
  const std::vector<float> ys = ReadHalves(*transport, *y, 6);
  for (int n = 0; n < 2; ++n) {
    for (int m = 0; m < 3; ++m) {
      float expected = 0;
      for (int k = 0; k < 4; ++k) expected += ws[n * 4 + k] * xs[k * 3 + m];
      if (ys[n * 3 + m] != expected) {
        return absl::DataLossError(
            absl::StrCat("y[", n, ",", m, "] = ", ys[n * 3 + m], ", not ", expected));
      }
    }
  }
  return transport->Close();
}

std::unique_ptr<DaemonProcess> ServingTest::daemon_;

void ServingTest::SetUpTestSuite() {
  auto daemon = DaemonProcess::Start();
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  daemon_ = *std::move(daemon);
}

void ServingTest::TearDownTestSuite() {
  if (daemon_) {
    auto code = daemon_->Stop();
    EXPECT_TRUE(code.ok() && *code == 0) << code.status() << daemon_->process().output();
  }
  daemon_.reset();
}

void ServingTest::TearDown() {
  const absl::Status serves = RunsMatmul(socket());
  EXPECT_TRUE(serves.ok()) << "the daemon does not serve the next request: " << serves << "\n"
                           << daemon_->process().output();
}

}  // namespace anex::test
