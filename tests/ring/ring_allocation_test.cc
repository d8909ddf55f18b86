// What the way of an evaluation over a ring must not do: allocate, on either side. The operators
// new of this binary are replaced by counting ones.

#include <algorithm>
#include <functional>

#include "tests/ring/allocation_count.h"
#include "tests/ring/ring_fixture.h"

namespace anex::ring::testing {
namespace {

using RingAllocationTest = RingTest;

// Of many short tries: the engine's sweeper allocates now and then, evaluations would every time.
int64_t LeastAllocations(const std::function<void()>& work) {
  int64_t least = INT64_MAX;
  for (int i = 0; i < 50 && least > 0; ++i) {
    const int64_t before = Allocations();
    work();
    least = std::min(least, Allocations() - before);
  }
  return least;
}

// One after another, and as many at a time as the ring holds; the engine's own threads turn the
// while.
TEST_F(RingAllocationTest, AnEvaluationAllocatesNothing) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const End end = OpenRing(caller, ready.lane, 16);
  const auto run = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      ASSERT_EQ(Put(end, Run(ready)), 1u);
      ASSERT_EQ(Next(end).entry.status, 0);
      uint32_t put = 0;
      while (Put(end, Run(ready)) == 1) ++put;
      for (uint32_t k = 0; k < put; ++k) ASSERT_EQ(Next(end).entry.status, 0);
    }
  };
  run(50);
  EXPECT_EQ(LeastAllocations([&] { run(20); }), 0);
}

// A chain with a parameter set: pins are taken and let go with every iteration.
TEST_F(RingAllocationTest, AChainThatPinsAParameterSetAllocatesNothing) {
  const Caller caller = OpenSession();
  const Ready ready = GetReady(caller);
  const auto set = engine_->CreateParameterSet(
      caller, {.parameters = {{.name = "w", .dtype = DType::kFp32, .shape = Shape({2, 3})}}});
  ASSERT_TRUE(set.ok()) << set.status();
  const auto invocation = engine_->Prepare(
      caller,
      {ready.kernel, "", {{"x", ready.x}, {"w", ParameterRef{set->id, "w"}}, {"y", ready.y}}});
  ASSERT_TRUE(invocation.ok()) << invocation.status();
  const auto chain = engine_->DefineChain(caller, {.steps = {*invocation, *invocation}});
  ASSERT_TRUE(chain.ok()) << chain.status();
  const End end = OpenRing(caller, ready.lane, 16);
  const auto run = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      ASSERT_EQ(Put(end, {RingVerb::kChain, 1, chain->value(), 0, 0}), 1u);
      ASSERT_EQ(Next(end).entry.steps_done, 2u);
    }
  };
  run(50);
  EXPECT_EQ(LeastAllocations([&] { run(20); }), 0);
}

}  // namespace
}  // namespace anex::ring::testing
