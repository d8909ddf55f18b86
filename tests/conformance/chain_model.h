// Random chains, and what must come out of them: a plain interpreter of a chain's meaning that
// shares nothing with the engine but the words. Values, one thread.
//
// Tensors of one role set: inputs and temporaries of [3, 5], wide ones of [7, 4, 9], all fp16.
// The kernel is c = (a - b) / 2: it does not commute, and its values stay small.
#ifndef ANEX_TESTS_CONFORMANCE_CHAIN_MODEL_H_
#define ANEX_TESTS_CONFORMANCE_CHAIN_MODEL_H_

#include <cstdint>
#include <random>
#include <variant>
#include <vector>

#include "proto/values/execution_values.h"
#include "proto/wire/tensor_layout.h"

namespace anex::test {

// Tensors by number: [0, kInputs) are read only by runs, then temporaries, then wide ones.
inline constexpr size_t kInputs = 4, kTemporaries = 6, kWide = 3;
inline constexpr size_t kTensors = kInputs + kTemporaries + kWide;

struct ModelRun {
  size_t a, b, c;
};
struct ModelCopy {
  size_t from, to;
  Region from_region, to_region;
};
struct ModelLoopback {
  size_t from, to;
  LoopbackMode mode;
  bool result_in_to;
};

struct ChainModel {
  std::vector<std::variant<ModelRun, ModelCopy>> steps;
  std::vector<ModelLoopback> loopbacks;  // one of each mode, of different tensors
  uint32_t repeat = 1;

  static std::vector<int64_t> DimsOf(size_t tensor);
  static std::vector<std::vector<float>> RandomContents(std::mt19937& random);
  // Runs write temporaries only, none that the iteration has read before; copies write anything
  // but what a loopback fills.
  static ChainModel Random(std::mt19937& random, size_t steps, uint32_t repeat);

  // What all tensors hold afterwards.
  std::vector<std::vector<float>> Interpret(std::vector<std::vector<float>> contents) const;
};

}  // namespace anex::test

#endif  // ANEX_TESTS_CONFORMANCE_CHAIN_MODEL_H_
