// Session::Run and Kernel::CreateSurfaces over an engine in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/anex/anex.h"
#include "client/inproc/inproc_transport.h"

namespace anex {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;

// y[m, n] = x[m, k] w[k, n] and its first row's sum, with m, k, n all different.
constexpr char kMatmul[] = R"(program(1.3)
{
  func main<ios18>(tensor<fp16, [2, 3]> x, tensor<fp32, [3, 4]> w) {
    tensor<fp16, [3, 4]> h = cast(x = w, dtype = string("fp16"));
    tensor<fp16, [2, 4]> y = matmul(x = x, y = h, transpose_x = bool(false), transpose_y = bool(false));
    tensor<fp16, [3, 2]> t = transpose(x = x, perm = tensor<int32, [2]>([1, 0]));
  } -> (y, t);
}
)";

class SessionRunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    InprocOptions options;
    options.cpu_threads = 1;
    auto engine = StartInprocEngine(options);
    ASSERT_TRUE(engine.ok()) << engine.status();
    auto session = Session::Open(MakeInprocTransport(*engine), {.client_name = "test"});
    ASSERT_TRUE(session.ok()) << session.status();
    session_ = *std::move(session);
    auto kernel = session_.Compile(kMatmul, "matmul.mil");
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    kernel_ = *std::move(kernel);
  }
  uint64_t SurfacesAlive() { return (*session_.transport())->ListSurfaces()->size(); }

  Session session_;
  Kernel kernel_;
  const std::vector<float> x_{1, 2, 3, 4, 5, 6};
  const std::vector<float> w_{1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 1, 0};
};

TEST_F(SessionRunTest, TakesAndGivesValuesByName) {
  const absl::StatusOr<FloatMap> out = session_.Run(kernel_, {{"x", x_}, {"w", w_}});
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_THAT(out->at("y"), ElementsAre(1, 2, 3, 2, 4, 5, 6, 8));
  EXPECT_THAT(out->at("t"), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_EQ(SurfacesAlive(), 0u) << "everything is given back";
}

TEST_F(SessionRunTest, AnInputThatIsReturnedComesOutOfAPortOfItsOwn) {
  const absl::StatusOr<Kernel> kernel = session_.Compile(R"(program(1.3)
{
  func main<ios18>(tensor<fp32, [2, 3]> x) {
    tensor<fp32, [2, 3]> y = square(x = x);
  } -> (x, y);
}
)",
                                                         "through.mil");
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  const absl::StatusOr<FloatMap> out = session_.Run(*kernel, {{"x", x_}});
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_THAT(out->at("x_out"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(out->at("y"), ElementsAre(1, 4, 9, 16, 25, 36));
}

TEST_F(SessionRunTest, SaysWhichInputIsWrong) {
  const struct {
    FloatMap inputs;
    absl::StatusCode code;
    const char* said;
  } cases[] = {
      {{{"x", x_}}, absl::StatusCode::kInvalidArgument, "no values for input \"w\""},
      {{{"x", x_}, {"w", {1}}}, absl::StatusCode::kInvalidArgument, "input \"w\": 1 elements"},
      {{{"x", x_}, {"W", w_}}, absl::StatusCode::kNotFound, "no port \"W\""},
      {{{"x", x_}, {"w", w_}, {"y", w_}}, absl::StatusCode::kInvalidArgument, "is no input"},
  };
  for (const auto& each : cases) {
    const absl::Status status = session_.Run(kernel_, each.inputs).status();
    EXPECT_EQ(status.code(), each.code) << status;
    EXPECT_THAT(status.message(), HasSubstr(each.said));
  }
  EXPECT_EQ(SurfacesAlive(), 0u);
}

TEST_F(SessionRunTest, SurfacesForAllPortsBindByName) {
  absl::StatusOr<SurfaceMap> surfaces = kernel_.CreateSurfaces();
  ASSERT_TRUE(surfaces.ok()) << surfaces.status();
  EXPECT_THAT(*surfaces, ElementsAre(Key("t"), Key("w"), Key("x"), Key("y")));
  EXPECT_EQ(surfaces->at("w").dtype(), DType::kFp32);
  EXPECT_TRUE(kernel_.Prepare().Bind(*surfaces).Build().ok());
  Surface again = *kernel_.CreateSurface("x");
  EXPECT_THAT(kernel_.Prepare().Bind(*surfaces).Bind("x", again).Build().status().message(),
              HasSubstr("\"x\" is bound twice"));
  EXPECT_EQ(kernel_.CreateSurfaces("none").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace anex
