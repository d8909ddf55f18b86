// Invocations, kernels and the device slot behind them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/engine/objects/invocation.h"
#include "tests/engine/objects_fixture.h"

namespace anex::engine {
namespace {

using testing::Fill;
using testing::Floats;
using testing::Fp32;
using ::testing::HasSubstr;
using testing::HeapPool;
using testing::MakeKernel;
using testing::MakeSet;
using testing::MakeSurface;
using testing::MakeXwy;
using testing::ManualClock;
using testing::Port;
using testing::TinyKernel;

constexpr auto kIn = PortDirection::kInput;
constexpr auto kOut = PortDirection::kOutput;

class InvocationTest : public ::testing::Test {
 protected:
  ResolvedBinding On(std::string port, std::shared_ptr<Surface> surface,
                     Access access = Access::kReadWrite) {
    return {std::move(port), BoundSurface{std::move(surface), access}};
  }
  ResolvedBinding On(std::string port, std::shared_ptr<ParameterSet> set, size_t index) {
    return {std::move(port), BoundParameter{std::move(set), index}};
  }
  std::shared_ptr<Surface> NewSurface() { return MakeSurface(*pool_, Fp32({2, 3})); }
  absl::StatusOr<std::shared_ptr<Invocation>> Make(std::vector<ResolvedBinding> bindings,
                                                   uint64_t max_sets = 3) {
    return Invocation::Make(tiny_.kernel, 0, std::move(bindings), max_sets, *pool_);
  }
  absl::Status Refusal(std::vector<ResolvedBinding> bindings) {
    return Make(std::move(bindings)).status();
  }
  void Run(const Invocation& invocation, uint32_t mask = 0) {
    auto request = invocation.RequestFor(mask, testing::Unstopped());
    ASSERT_TRUE(request.ok()) << request.status();
    ASSERT_TRUE((*request)->Run().ok());
  }

  ManualClock clock_;
  std::shared_ptr<SurfacePool> pool_ = HeapPool();
  TinyKernel tiny_ = MakeXwy();
  std::shared_ptr<Surface> x_ = NewSurface(), w_ = NewSurface(), y_ = NewSurface();
};

TEST_F(InvocationTest, RunsOnItsBindings) {
  auto invocation = *Make({On("y", y_), On("x", x_), On("w", w_)});  // any order
  Fill(*x_, 1);
  Fill(*w_, 100, 10);
  Run(*invocation);
  EXPECT_EQ(Floats(*y_)[0], 1 + 2 * (1 + 100));
  EXPECT_EQ(Floats(*y_)[5], 1 + 2 * (6 + 150));
  EXPECT_EQ(x_->pins(), 1u);
  invocation.reset();
  EXPECT_EQ(x_->pins(), 0u);
}

TEST_F(InvocationTest, NamesAreCheckedAndHinted) {
  const absl::Status unknown = Refusal({On("X", x_), On("w", w_), On("y", y_)});
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("did you mean \"x\""));
  const absl::Status missing = Refusal({On("x", x_), On("y", y_)});
  EXPECT_EQ(missing.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("input port \"w\" is not bound"));
  const absl::Status twice = Refusal({On("x", x_), On("x", w_), On("w", w_), On("y", y_)});
  EXPECT_THAT(std::string(twice.message()), HasSubstr("bound twice"));
}

TEST_F(InvocationTest, AMismatchSaysWhatWasExpectedAndFound) {
  const auto transposed = MakeSurface(*pool_, Fp32({3, 2}));
  const absl::Status shape = Refusal({On("x", transposed), On("w", w_), On("y", y_)});
  EXPECT_EQ(shape.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(shape.message()), HasSubstr("[2, 3]"));
  EXPECT_THAT(std::string(shape.message()), HasSubstr("[3, 2]"));
  const auto half = MakeSurface(*pool_, *MakePackedLayout(DType::kFp16, Shape({2, 3})));
  EXPECT_THAT(std::string(Refusal({On("x", half), On("w", w_), On("y", y_)}).message()),
              HasSubstr("fp16"));
  const auto padded =
      MakeSurface(*pool_, *MakePaddedLayout(DType::kFp32, Shape({2, 3}), 64, 64, 0));
  EXPECT_EQ(Refusal({On("x", padded), On("w", w_), On("y", y_)}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(InvocationTest, AnOutputsMemoryIsItsOwn) {
  const absl::Status in_place = Refusal({On("x", x_), On("w", w_), On("y", x_)});
  EXPECT_EQ(in_place.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(in_place.message()), HasSubstr("loopback"));
  EXPECT_TRUE(Make({On("x", x_), On("w", x_), On("y", y_)}).ok());  // two inputs may share
  auto set = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"w"}, Fp32({2, 3}));
  EXPECT_FALSE(Make({On("x", x_), On("w", set, 0), On("y", set->parameters()[0].buffers[1])}).ok());
}

TEST_F(InvocationTest, AReadOnlySurfaceIsNoOutput) {
  EXPECT_EQ(Refusal({On("x", x_), On("w", w_), On("y", y_, Access::kReadOnly)}).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(Make({On("x", x_, Access::kReadOnly), On("w", w_), On("y", y_)}).ok());
}

TEST_F(InvocationTest, AParameterIsNoOutput) {
  auto set = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"w"}, Fp32({2, 3}));
  EXPECT_EQ(Refusal({On("x", x_), On("w", w_), On("y", set, 0)}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(InvocationTest, EachChoiceOfBuffersHasItsRequest) {
  auto a = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"unused", "p"}, Fp32({2, 3}));
  auto b = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"q"}, Fp32({2, 3}));
  for (uint32_t buffer : {0u, 1u}) {
    Fill(*a->parameters()[1].buffers[buffer], 10.f + 1000.f * static_cast<float>(buffer), 0);
    Fill(*b->parameters()[0].buffers[buffer], 1.f + 100.f * static_cast<float>(buffer), 0);
  }
  auto invocation = *Make({On("x", a, 1), On("w", b, 0), On("y", y_)});
  ASSERT_EQ(invocation->sets().size(), 2u);
  EXPECT_EQ(invocation->sets()[0], a);
  const float sums[] = {11, 1011, 111, 1111};  // bit 0: a, bit 1: b
  for (uint32_t mask = 0; mask < 4; ++mask) {
    Run(*invocation, mask);
    EXPECT_EQ(Floats(*y_)[4], 1 + 2 * sums[mask]) << mask;
  }
  const auto lease = *b->BeginWrite(1000, {&clock_, clock_.Now(), nullptr});
  ASSERT_TRUE(b->Publish(lease.number, 0).ok());
  std::vector<SetPin> pins;
  ASSERT_TRUE(*PinAll(invocation->sets(), pins));
  EXPECT_EQ(Invocation::MaskOf(pins), 2u);
}

TEST_F(InvocationTest, FencedSetsNeedOneRequest) {
  auto fenced = MakeSet(*pool_, ParameterMode::kFenced, clock_, {"p"}, Fp32({2, 3}));
  auto twice = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"q"}, Fp32({2, 3}));
  auto invocation = *Make({On("x", fenced, 0), On("w", twice, 0), On("y", y_)});
  Run(*invocation, 0);
  Run(*invocation, 2);
}

TEST_F(InvocationTest, TooManySetsNameTheBound) {
  auto a = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"p"}, Fp32({2, 3}));
  auto b = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"q"}, Fp32({2, 3}));
  const absl::Status many = Make({On("x", a, 0), On("w", b, 0), On("y", y_)}, 1).status();
  EXPECT_EQ(many.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(many.message()), HasSubstr("sets_per_invocation=1"));
}

TEST_F(InvocationTest, StateIsKeptFromRunToRunAndThroughRebind) {
  tiny_ = MakeKernel(
      {{"main",
        {Port("x", kIn, Fp32({2, 3})), Port("count", PortDirection::kState, Fp32({2, 3})),
         Port("y", kOut, Fp32({2, 3}))}}});
  auto invocation = *Make({On("x", x_), On("y", y_)});
  Run(*invocation);
  Run(*invocation);
  EXPECT_EQ(Floats(*y_)[3], 1 + 1);  // zeroed at first, one run before this one
  auto z = NewSurface();
  auto rebound = *invocation->Rebound({On("y", z)});
  Run(*rebound);
  EXPECT_EQ(Floats(*z)[3], 1 + 2);
  EXPECT_EQ(Floats(*y_)[3], 2);  // the old one's output stays
  EXPECT_EQ(Refusal({On("x", x_), On("y", y_), On("count", w_)}).code(),
            absl::StatusCode::kInvalidArgument);
  auto other = *Make({On("x", x_), On("y", y_)});
  Run(*other);
  EXPECT_EQ(Floats(*y_)[3], 1);  // another invocation has its own
}

TEST_F(InvocationTest, ARefusedRebindChangesNothing) {
  auto invocation = *Make({On("x", x_), On("w", w_), On("y", y_)});
  EXPECT_FALSE(invocation->Rebound({On("y", x_)}).ok());
  EXPECT_FALSE(invocation->Rebound({On("nope", x_)}).ok());
  Fill(*x_, 2, 0);
  Fill(*w_, 3, 0);
  Run(*invocation);
  EXPECT_EQ(Floats(*y_)[0], 11);
}

TEST_F(InvocationTest, AfterTheDeviceWasReplacedItRunsOnTheFreshOne) {
  auto invocation = *Make({On("x", x_), On("w", w_), On("y", y_)});
  const std::shared_ptr<device::Request> hung = *invocation->RequestFor(0, testing::Unstopped());
  std::weak_ptr<device::Device> old = tiny_.slot->Current()->device;
  const uint64_t epoch = tiny_.slot->epoch();
  ASSERT_TRUE(tiny_.slot->Replace("the device hung").ok());
  EXPECT_GT(tiny_.slot->epoch(), epoch);
  EXPECT_EQ(tiny_.slot->health(), Health::kDegraded);
  const std::shared_ptr<device::Request> fresh = *invocation->RequestFor(0, testing::Unstopped());
  EXPECT_NE(fresh, hung);
  Fill(*x_, 1, 0);
  Fill(*w_, 1, 0);
  EXPECT_TRUE(fresh->Run().ok());
  EXPECT_EQ(Floats(*y_)[5], 5);
  EXPECT_FALSE(old.expired());  // the abandoned request still holds it
}

TEST_F(InvocationTest, WithoutAFreshDeviceItSaysWhy) {
  auto invocation = *Make({On("x", x_), On("w", w_), On("y", y_)});
  *tiny_.next_start = absl::UnavailableError("no such hardware");
  EXPECT_FALSE(tiny_.slot->Replace("the device hung").ok());
  const absl::Status gone = invocation->RequestFor(0, testing::Unstopped()).status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(gone.message()), HasSubstr("the device hung"));
  EXPECT_THAT(std::string(gone.message()), HasSubstr("no such hardware"));
  EXPECT_EQ(tiny_.slot->health(), Health::kUnavailable);
  *tiny_.next_start = absl::OkStatus();
  ASSERT_TRUE(tiny_.slot->Replace("the device hung").ok());
  EXPECT_TRUE(invocation->RequestFor(0, testing::Unstopped()).ok());
}

TEST_F(InvocationTest, AQuarantinedInvocationAndItsSurfacesAreRefused) {
  auto invocation = *Make({On("x", x_), On("w", w_), On("y", y_)});
  auto z = NewSurface();
  auto neighbour = *Make({On("x", y_), On("w", w_), On("y", z)});
  invocation->Quarantine();
  EXPECT_EQ(invocation->RequestFor(0, testing::Unstopped()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(tiny_.slot->Replace("the device hung").ok());
  EXPECT_EQ(neighbour->RequestFor(0, testing::Unstopped()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Make({On("x", x_), On("w", NewSurface()), On("y", NewSurface())}).ok());
}

TEST_F(InvocationTest, FunctionsAndPortsAreFoundByName) {
  const TinyKernel two = MakeKernel(
      {{"forward", {Port("x", kIn, Fp32({1}))}}, {"backward", {Port("dx", kOut, Fp32({1}))}}});
  EXPECT_EQ(*two.kernel->FindFunction("backward"), 1u);
  EXPECT_EQ(two.kernel->FindFunction("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(two.kernel->FindFunction("backwards").status().message()),
              HasSubstr("did you mean \"backward\""));
  EXPECT_EQ(*tiny_.kernel->FindFunction(""), 0u);
  EXPECT_EQ(*tiny_.kernel->FindPort(0, "y"), 2u);
}

}  // namespace
}  // namespace anex::engine
