// Trainers that run at once, for benchmarks.
#ifndef ANEX_TESTS_BENCH_TRAINERS_H_
#define ANEX_TESTS_BENCH_TRAINERS_H_

#include <string>

namespace anex::bench {

struct Trainers {
  std::string program, data;  // anex_trainer, and what it learns from
  int steps = 60;
};

// Tokens per second of `count` trainers that run at once, together. Their steps are equal, so the
// ratio of two such figures is that of their steps.
double AggregateTokens(const Trainers& trainers, const std::string& socket, int count);

}  // namespace anex::bench

#endif  // ANEX_TESTS_BENCH_TRAINERS_H_
