#include "tests/conformance/chain_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace anex::test {
namespace {

// The nearest fp16 value, ties to even.
double RoundToHalf(double value) {
  if (value == 0) return value;
  int exponent = 0;
  std::frexp(value, &exponent);
  const int quantum = std::max(exponent - 11, -24);
  return std::ldexp(std::nearbyint(std::ldexp(value, -quantum)), quantum);
}

size_t Below(std::mt19937& random, size_t bound) { return random() % bound; }

bool IsWide(size_t tensor) { return tensor >= kInputs + kTemporaries; }

// A region of `dims` with these sizes, anywhere inside.
Region Place(std::mt19937& random, const std::vector<int64_t>& dims, std::vector<int64_t> size) {
  Region region{{}, std::move(size)};
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const int64_t room = dims[axis] - region.size[axis] + 1;
    region.begin.push_back(static_cast<int64_t>(Below(random, static_cast<size_t>(room))));
  }
  return region;
}

// Sizes of a region that both tensors have room for: between equal ranks any, else with an axis of
// 1 more, wherever that is.
ModelCopy RandomCopy(std::mt19937& random, size_t from, size_t to) {
  const auto from_dims = ChainModel::DimsOf(from), to_dims = ChainModel::DimsOf(to);
  std::vector<int64_t> size;
  for (const int64_t most : {int64_t{3}, int64_t{5}}) {
    size.push_back(1 + static_cast<int64_t>(Below(random, static_cast<size_t>(most))));
  }
  const auto for_tensor = [&](const std::vector<int64_t>& dims) {
    std::vector<int64_t> sizes = size;
    if (dims.size() == 3) {
      // An axis of 4 holds a size of 3 at most; one of 5 goes where there are 7 or 9.
      const size_t extra = sizes[1] > 4 ? (Below(random, 2) == 0 ? 0u : 1u) : Below(random, 3);
      sizes.insert(sizes.begin() + static_cast<long>(extra), 1);
    }
    return Place(random, dims, std::move(sizes));
  };
  if (IsWide(from) && IsWide(to)) {  // a box of three axes
    size = {1 + static_cast<int64_t>(Below(random, 7)), 1 + static_cast<int64_t>(Below(random, 4)),
            1 + static_cast<int64_t>(Below(random, 9))};
    return {from, to, Place(random, from_dims, size), Place(random, to_dims, size)};
  }
  return {from, to, for_tensor(from_dims), for_tensor(to_dims)};
}

size_t Offset(const std::vector<int64_t>& dims, const std::vector<int64_t>& at) {
  int64_t offset = 0;
  for (size_t axis = 0; axis < dims.size(); ++axis) offset = offset * dims[axis] + at[axis];
  return static_cast<size_t>(offset);
}

// The elements of a region in row-major order, as places in the packed tensor.
std::vector<size_t> PlacesOf(const std::vector<int64_t>& dims, const Region& region) {
  std::vector<size_t> places;
  std::vector<int64_t> at = region.begin;
  for (;;) {
    places.push_back(Offset(dims, at));
    size_t axis = dims.size();
    while (axis > 0 && ++at[axis - 1] == region.begin[axis - 1] + region.size[axis - 1]) {
      at[axis - 1] = region.begin[axis - 1];
      --axis;
    }
    if (axis == 0) return places;
  }
}

}  // namespace

std::vector<int64_t> ChainModel::DimsOf(size_t tensor) {
  return IsWide(tensor) ? std::vector<int64_t>{7, 4, 9} : std::vector<int64_t>{3, 5};
}

std::vector<std::vector<float>> ChainModel::RandomContents(std::mt19937& random) {
  std::vector<std::vector<float>> contents;
  for (size_t tensor = 0; tensor < kTensors; ++tensor) {
    const auto dims = DimsOf(tensor);
    const int64_t count = std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies());
    std::vector<float>& values = contents.emplace_back();
    for (int64_t i = 0; i < count; ++i) {
      values.push_back(static_cast<float>(static_cast<int>(Below(random, 2001)) - 1000));
    }
  }
  return contents;
}

ChainModel ChainModel::Random(std::mt19937& random, size_t steps, uint32_t repeat) {
  ChainModel model;
  model.repeat = repeat;
  // Filled by loopbacks: inputs 0 and 1, from two temporaries that the first two steps write.
  const size_t first = kInputs, second = kInputs + 1;
  model.loopbacks = {{first, 0, LoopbackMode::kSwap, Below(random, 2) == 1},
                     {second, 1, LoopbackMode::kCopy, Below(random, 2) == 1}};
  model.steps = {ModelRun{0, 1, first}, ModelRun{first, 1, second}};
  std::array<bool, kTensors> written{};
  written[first] = written[second] = true;
  const auto readable = [&] {
    size_t tensor = Below(random, kInputs + kTemporaries);
    while (tensor >= kInputs && !written[tensor]) tensor = Below(random, kInputs + kTemporaries);
    return tensor;
  };
  while (model.steps.size() < steps) {
    if (Below(random, 3) != 0) {
      const size_t c = kInputs + Below(random, kTemporaries), a = readable(), b = readable();
      if (a == c || b == c) continue;
      model.steps.push_back(ModelRun{a, b, c});
      written[c] = true;
      continue;
    }
    // Between wide tensors, from one into an input or a temporary, or back.
    const size_t from = Below(random, kTensors), to = 2 + Below(random, kTensors - 2);
    const bool unwritten = from >= kInputs && !IsWide(from) && !written[from];
    if (from == to || unwritten || to == first || to == second) continue;
    if (!IsWide(from) && !IsWide(to)) continue;
    if (!IsWide(to) && to >= kInputs && !written[to])
      continue;  // a part of it would stay unwritten
    model.steps.push_back(RandomCopy(random, from, to));
  }
  return model;
}

std::vector<std::vector<float>> ChainModel::Interpret(
    std::vector<std::vector<float>> contents) const {
  std::vector<size_t> memory(kTensors);  // which memory plays the tensor's part now
  std::iota(memory.begin(), memory.end(), size_t{0});
  const auto tensor = [&](size_t number) -> std::vector<float>& {
    return contents[memory[number]];
  };
  for (uint32_t iteration = 0; iteration < repeat; ++iteration) {
    for (const auto& step : steps) {
      if (const auto* run = std::get_if<ModelRun>(&step)) {
        for (size_t i = 0; i < tensor(run->c).size(); ++i) {
          const double difference =
              RoundToHalf(double{tensor(run->a)[i]} - double{tensor(run->b)[i]});
          tensor(run->c)[i] = static_cast<float>(RoundToHalf(difference / 2));
        }
        continue;
      }
      const auto& copy = std::get<ModelCopy>(step);
      const auto from = PlacesOf(DimsOf(copy.from), copy.from_region);
      const auto to = PlacesOf(DimsOf(copy.to), copy.to_region);
      for (size_t i = 0; i < from.size(); ++i) {
        tensor(copy.to)[to[i]] = tensor(copy.from)[from[i]];
      }
    }
    if (iteration + 1 == repeat) break;
    for (const ModelLoopback& loop : loopbacks) {
      if (loop.mode == LoopbackMode::kSwap) std::swap(memory[loop.from], memory[loop.to]);
      if (loop.mode == LoopbackMode::kCopy) tensor(loop.to) = tensor(loop.from);
    }
  }
  for (const ModelLoopback& loop : loopbacks) {
    contents[loop.result_in_to ? loop.to : loop.from] = std::vector<float>(tensor(loop.from));
  }
  return contents;
}

}  // namespace anex::test
