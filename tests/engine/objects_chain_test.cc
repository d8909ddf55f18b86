// Chains: checks, loopbacks of both parities, copies, generations per iteration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "server/engine/objects/chain.h"
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
using testing::ManualClock;
using testing::Port;
using testing::TinyKernel;

// f(x) = 1 + 2 x, `times` times.
float Iterate(float x, uint32_t times) {
  for (uint32_t i = 0; i < times; ++i) x = 1 + 2 * x;
  return x;
}

class ChainTest : public ::testing::Test {
 protected:
  BoundSurface New(std::initializer_list<int64_t> dims = {2, 3}) {
    return {MakeSurface(*pool_, Fp32(dims)), Access::kReadWrite};
  }
  std::shared_ptr<const Invocation> Double(const BoundSurface& x, const BoundSurface& y) {
    return *Invocation::Make(tiny_.kernel, 0, {{"x", x}, {"y", y}}, 3, *pool_);
  }
  absl::StatusOr<std::shared_ptr<const Chain>> Make(ResolvedChain spec) {
    return Chain::Make(std::move(spec), limits_);
  }
  absl::StatusCode Code(ResolvedChain spec) { return Make(std::move(spec)).status().code(); }

  // The walk that chain.h draws.
  void Walk(const Chain& chain) {
    for (uint64_t iteration = 0; iteration < chain.repeat(); ++iteration) {
      std::vector<SetPin> pins;
      ASSERT_TRUE(*PinAll(chain.sets(), pins));
      for (const Step& step : chain.steps()) RunOne(step, iteration, pins);
      if (iteration + 1 == chain.repeat()) break;
      for (const SurfaceCopy& copy : chain.between()) ASSERT_TRUE(copy.Run().ok());
    }
    for (const SurfaceCopy& copy : chain.final_copies()) ASSERT_TRUE(copy.Run().ok());
  }
  void RunOne(const Step& step, uint64_t iteration, std::span<const SetPin> pins) {
    if (const auto* run = std::get_if<RunStep>(&step)) {
      ASSERT_TRUE((*run->invocation(iteration).RequestFor(run->MaskFor(pins), testing::Unstopped()))
                      ->Run()
                      .ok());
    } else if (const auto* copy = std::get_if<CopyStep>(&step)) {
      ASSERT_TRUE(copy->copy(iteration).Run().ok());
    } else if (const auto* publish = std::get_if<PublishStep>(&step)) {
      ASSERT_TRUE(publish->set->PublishOpen(0).ok());
    }
  }

  Limits limits_;
  ManualClock clock_;
  std::shared_ptr<SurfacePool> pool_ = HeapPool();
  TinyKernel tiny_ = MakeKernel({{"main",
                                  {Port("x", PortDirection::kInput, Fp32({2, 3})),
                                   Port("y", PortDirection::kOutput, Fp32({2, 3}))}}});
};

TEST_F(ChainTest, AStepsOutputIsTheNextStepsInput) {
  const BoundSurface a = New(), b = New(), c = New();
  auto chain = *Make({{Double(a, b), Double(b, c)}, {}, 1, "two"});
  Fill(*a.surface, 5);
  Walk(*chain);
  EXPECT_EQ(Floats(*c.surface)[0], Iterate(5, 2));
  EXPECT_EQ(Floats(*c.surface)[5], Iterate(10, 2));
  EXPECT_EQ(chain->device_name(), "tiny");
}

struct LoopbackCase {
  LoopbackMode mode;
  uint32_t repeat;
  bool result_in_to;
};
void PrintTo(const LoopbackCase& it, std::ostream* out) {
  *out << (it.mode == LoopbackMode::kSwap ? "swap " : "copy ") << it.repeat
       << (it.result_in_to ? " into to" : " into from");
}

class LoopbackTest : public ChainTest, public ::testing::WithParamInterface<LoopbackCase> {};

TEST_P(LoopbackTest, TheLastValueEndsWhereTheChainSaysForEveryParity) {
  const auto [mode, repeat, result_in_to] = GetParam();
  const BoundSurface a = New(), b = New(), scratch = New();
  // Two steps, so that the loopback surfaces are bound in different invocations.
  auto chain =
      *Make({{Double(a, scratch), Double(scratch, b)}, {{b, a, mode, result_in_to}}, repeat, ""});
  Fill(*a.surface, 1, 0.5f);
  Walk(*chain);
  const Surface& result = *(result_in_to ? a : b).surface;
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(Floats(result)[i], Iterate(1 + 0.5f * static_cast<float>(i), 2 * repeat)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, LoopbackTest,
    ::testing::Values(
        LoopbackCase{LoopbackMode::kSwap, 1, false}, LoopbackCase{LoopbackMode::kSwap, 1, true},
        LoopbackCase{LoopbackMode::kSwap, 2, false}, LoopbackCase{LoopbackMode::kSwap, 2, true},
        LoopbackCase{LoopbackMode::kSwap, 3, false}, LoopbackCase{LoopbackMode::kSwap, 3, true},
        LoopbackCase{LoopbackMode::kSwap, 4, false}, LoopbackCase{LoopbackMode::kCopy, 1, false},
        LoopbackCase{LoopbackMode::kCopy, 1, true}, LoopbackCase{LoopbackMode::kCopy, 2, false},
        LoopbackCase{LoopbackMode::kCopy, 3, true}),
    [](const auto& info) {
      return std::string(info.param.mode == LoopbackMode::kSwap ? "Swap" : "Copy") +
             std::to_string(info.param.repeat) + (info.param.result_in_to ? "To" : "From");
    });

TEST_F(ChainTest, ASwapMovesNoBytesButTheFinalCopy) {
  const BoundSurface a = New(), b = New();
  auto odd = *Make({{Double(a, b)}, {{b, a, LoopbackMode::kSwap, false}}, 3, ""});
  EXPECT_TRUE(odd->between().empty());
  EXPECT_TRUE(odd->final_copies().empty());
  auto even = *Make({{Double(a, b)}, {{b, a, LoopbackMode::kSwap, false}}, 4, ""});
  EXPECT_TRUE(even->between().empty());
  EXPECT_EQ(even->final_copies().size(), 1u);
}

TEST_F(ChainTest, CopyStepsFollowTheSwap) {
  const BoundSurface a = New(), b = New(), log = New({4, 2, 3});
  // Iteration i's output also goes to row 1 of the log; the last one must be there.
  const ResolvedCopy copy{b, log, {}, Region{{1, 0, 0}, {1, 2, 3}}};
  auto chain = *Make({{Double(a, b), copy}, {{b, a, LoopbackMode::kSwap, false}}, 2, ""});
  Fill(*a.surface, 3);
  Walk(*chain);
  EXPECT_EQ(Floats(*log.surface)[5], 0);
  EXPECT_EQ(Floats(*log.surface)[6], Iterate(3, 2));
  EXPECT_EQ(Floats(*log.surface)[11], Iterate(8, 2));
  EXPECT_EQ(Floats(*log.surface)[12], 0);
}

TEST_F(ChainTest, StateIsOneForBothParities) {
  tiny_ = MakeKernel({{"main",
                       {Port("x", PortDirection::kInput, Fp32({2, 3})),
                        Port("s", PortDirection::kState, Fp32({2, 3})),
                        Port("y", PortDirection::kOutput, Fp32({2, 3}))}}});
  const BoundSurface a = New(), b = New();
  auto chain = *Make({{Double(a, b)}, {{b, a, LoopbackMode::kSwap, false}}, 3, ""});
  Walk(*chain);
  float x = 0;
  for (int run = 0; run < 3; ++run) x = 1 + 2 * x + static_cast<float>(run);
  EXPECT_EQ(Floats(*b.surface)[0], x);
}

TEST_F(ChainTest, EachIterationPinsItsSetsOnce) {
  tiny_ = MakeKernel({{"main",
                       {Port("x", PortDirection::kInput, Fp32({2, 3})),
                        Port("w", PortDirection::kInput, Fp32({2, 3})),
                        Port("y", PortDirection::kOutput, Fp32({2, 3}))}}});
  auto p = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"p"}, Fp32({2, 3}));
  auto q = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"q"}, Fp32({2, 3}));
  const BoundSurface x = New(), y = New(), z = New();
  auto bind = [&](const BoundSurface& in, const std::shared_ptr<ParameterSet>& set,
                  const BoundSurface& out) -> std::shared_ptr<const Invocation> {
    return *Invocation::Make(tiny_.kernel, 0,
                             {{"x", in}, {"w", BoundParameter{set, 0}}, {"y", out}}, 3, *pool_);
  };
  auto chain = *Make({{bind(x, p, y), bind(y, q, z)}, {}, 1, ""});
  ASSERT_EQ(chain->sets().size(), 2u);
  const LeaseTerms lease = *q->BeginWrite(1000, {&clock_, clock_.Now(), nullptr});
  Fill(*q->parameters()[0].buffers[lease.buffer], 50, 0);
  ASSERT_TRUE(q->Publish(lease.number, 0).ok());
  Fill(*p->parameters()[0].buffers[0], 7, 0);
  std::vector<SetPin> pins;
  ASSERT_TRUE(*PinAll(chain->sets(), pins));
  EXPECT_EQ(std::get<RunStep>(chain->steps()[0]).MaskFor(pins), 0u);
  EXPECT_EQ(std::get<RunStep>(chain->steps()[1]).MaskFor(pins), 1u);
  Walk(*chain);
  EXPECT_EQ(Floats(*z.surface)[2], 1 + 2 * ((1 + 2 * 7) + 50));
}

TEST_F(ChainTest, RefusesAnUndeclaredLoopback) {
  const BoundSurface a = New(), b = New();
  const auto there = Double(a, b), back = Double(b, a);
  const absl::Status status = Make({{there, back}, {}, 2, ""}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("step 1"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("loopback"));
  EXPECT_TRUE(Make({{there, back}, {}, 1, ""}).ok());
}

TEST_F(ChainTest, RefusesBadLoopbacks) {
  const BoundSurface a = New(), b = New(), c = New(), other = New({3, 2});
  const auto run = Double(a, b);
  const auto kSwap = LoopbackMode::kSwap, kCopy = LoopbackMode::kCopy;
  const auto bad = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(Code({{run}, {{c, a, kSwap}}, 2, ""}), bad);                 // nobody writes c
  EXPECT_EQ(Code({{run}, {{b, c, kSwap}}, 2, ""}), bad);                 // nobody reads c
  EXPECT_EQ(Code({{run}, {{b, b, kSwap}}, 2, ""}), bad);                 // itself
  EXPECT_EQ(Code({{run}, {{b, a, kSwap}, {b, a, kCopy}}, 2, ""}), bad);  // twice
  EXPECT_EQ(Code({{run, Double(b, a)}, {{b, a, kSwap}}, 2, ""}), bad);   // a is written too
  BoundSurface read_only = a;
  read_only.access = Access::kReadOnly;
  EXPECT_EQ(Code({{run}, {{b, read_only, kSwap}}, 2, ""}), absl::StatusCode::kPermissionDenied);
  const ResolvedCopy reads_other{other, New({3, 2}), {}, {}};
  EXPECT_EQ(Code({{run, reads_other}, {{b, other, kSwap}}, 2, ""}), bad);  // layouts differ
  EXPECT_EQ(Code({{run, reads_other}, {{b, other, kCopy}}, 2, ""}), bad);
}

TEST_F(ChainTest, RefusesBadCopies) {
  const BoundSurface a = New(), b = New();
  BoundSurface read_only = b;
  read_only.access = Access::kReadOnly;
  const int64_t huge = INT64_MAX;
  EXPECT_EQ(Code({{ResolvedCopy{a, read_only, {}, {}}}, {}, 1, ""}),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Code({{ResolvedCopy{a, b, Region{{0, 0}, {2, 4}}, {}}}, {}, 1, ""}),
            absl::StatusCode::kOutOfRange);
  EXPECT_EQ(Code({{ResolvedCopy{a, b, Region{{1, huge}, {1, huge}}, {}}}, {}, 1, ""}),
            absl::StatusCode::kOutOfRange);
  EXPECT_EQ(Code({{ResolvedCopy{a, b, Region{{0, 0}, {1, 3}}, {}}}, {}, 1, ""}),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ChainTest, ACopyWithinASurfaceMustNotOverlap) {
  const BoundSurface a = New();
  const Region top{{0, 0}, {1, 2}}, bottom{{1, 1}, {1, 2}}, shifted{{0, 1}, {1, 2}};
  EXPECT_EQ(Code({{ResolvedCopy{a, a, top, shifted}}, {}, 1, ""}),
            absl::StatusCode::kInvalidArgument);
  auto chain = *Make({{ResolvedCopy{a, a, top, bottom}}, {}, 1, ""});
  Fill(*a.surface, 10);
  Walk(*chain);
  EXPECT_EQ(Floats(*a.surface)[3], 13);
  EXPECT_EQ(Floats(*a.surface)[4], 10);
  EXPECT_EQ(Floats(*a.surface)[5], 11);
}

TEST_F(ChainTest, BoundsAreNamed) {
  limits_.chain_steps = 2;
  limits_.chain_repeat = 5;
  const BoundSurface a = New(), b = New();
  const auto run = Double(a, b);
  EXPECT_EQ(Code({{}, {}, 1, ""}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Code({{run}, {}, 0, ""}), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Make({{run, run, run}, {}, 1, ""}).status().message()),
              HasSubstr("chain_steps=2"));
  EXPECT_THAT(std::string(Make({{run}, {}, 6, ""}).status().message()),
              HasSubstr("chain_repeat=5"));
}

TEST_F(ChainTest, StepsOfTwoDevicesAreRefused) {
  const BoundSurface a = New(), b = New(), c = New();
  const auto here = Double(a, b);
  tiny_ = MakeKernel({tiny_.kernel->functions().begin(), tiny_.kernel->functions().end()}, "other");
  const absl::Status status = Make({{here, Double(b, c)}, {}, 1, ""}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("other"));
}

TEST_F(ChainTest, PublishingAFencedSetThatItReadsIsRefused) {
  auto fenced = MakeSet(*pool_, ParameterMode::kFenced, clock_, {"p"}, Fp32({2, 3}));
  auto twice = MakeSet(*pool_, ParameterMode::kDouble, clock_, {"p"}, Fp32({2, 3}));
  const BoundSurface y = New();
  for (const auto& set : {fenced, twice}) {
    std::shared_ptr<const Invocation> run =
        *Invocation::Make(tiny_.kernel, 0, {{"x", BoundParameter{set, 0}}, {"y", y}}, 3, *pool_);
    EXPECT_EQ(Make({{run, PublishStep{set}}, {}, 1, ""}).ok(), set == twice);
    EXPECT_TRUE(Make({{PublishStep{set}}, {}, 1, ""}).ok());
  }
}

}  // namespace
}  // namespace anex::engine
