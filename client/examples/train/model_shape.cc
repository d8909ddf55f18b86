#include "client/examples/train/model_shape.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "client/examples/train/random.h"

namespace anex::train {
namespace {

constexpr float kEmbeddingLimit = 0.05f;

// Norms end in "norm", "norm1" or "norm2".
bool IsNorm(const Parameter& parameter) { return !parameter.decays; }

bool EndsInResidual(std::string_view name) {
  return name.ends_with(".wo") || name.ends_with(".w2");
}

float InitialLimit(const ModelShape& shape, const Parameter& parameter) {
  if (parameter.name == "embed") return kEmbeddingLimit;
  const double columns = static_cast<double>(parameter.dims.back());
  const double limit = std::sqrt(3.0 / columns);  // uniform: variance = limit^2 / 3
  const double shrink = EndsInResidual(parameter.name) ? std::sqrt(2.0 * shape.layers) : 1.0;
  return static_cast<float>(limit / shrink);
}

}  // namespace

absl::Status Validate(const ModelShape& shape) {
  for (const int size :
       {shape.dim, shape.hidden, shape.layers, shape.heads, shape.seq, shape.batch, shape.vocab}) {
    if (size < 1) return absl::InvalidArgumentError("every size of the model must be at least 1");
    // Far above anything a demonstration trains; keeps all products below 2^31.
    if (size > 32768) return absl::InvalidArgumentError("no size of the model may exceed 32768");
  }
  if (shape.dim % shape.heads != 0 || shape.head_dim() % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("dim=", shape.dim, " must be a multiple of 2 * heads=", 2 * shape.heads,
                     ": rotary embedding turns pairs of channels within a head"));
  }
  if (int64_t{shape.seq} * shape.batch > 32768) {
    return absl::InvalidArgumentError(
        absl::StrCat("seq * batch = ", int64_t{shape.seq} * shape.batch, ", at most 32768"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelShape> PresetShape(std::string_view preset) {
  if (preset == "demo") return ModelShape{};
  if (preset == "small") {
    return ModelShape{.dim = 128, .hidden = 344, .layers = 4, .heads = 4, .seq = 128, .batch = 4};
  }
  return absl::NotFoundError(
      absl::StrCat("no preset \"", std::string(preset), "\"; there are: demo, small"));
}

ParameterTable::ParameterTable(const ModelShape& shape) {
  Matrix("embed", shape.vocab, shape.dim);
  for (int layer = 0; layer < shape.layers; ++layer) {
    const auto name = [layer](std::string_view part) { return LayerName(layer, part); };
    Norm(name("norm1"), shape.dim);
    Matrix(name("wq"), shape.dim, shape.dim);
    Matrix(name("wk"), shape.dim, shape.dim);
    Matrix(name("wv"), shape.dim, shape.dim);
    Matrix(name("wo"), shape.dim, shape.dim);
    Norm(name("norm2"), shape.dim);
    Matrix(name("w1"), shape.hidden, shape.dim);
    Matrix(name("w3"), shape.hidden, shape.dim);
    Matrix(name("w2"), shape.dim, shape.hidden);
  }
  Norm("final_norm", shape.dim);
}

void ParameterTable::Matrix(std::string name, int64_t rows, int64_t columns) {
  const size_t size = static_cast<size_t>(rows * columns);
  all_.push_back({std::move(name), {1, rows, columns}, total_, size, true});
  total_ += size;
}

void ParameterTable::Norm(std::string name, int64_t channels) {
  const size_t size = static_cast<size_t>(channels);
  all_.push_back({std::move(name), {1, channels, 1, 1}, total_, size, false});
  total_ += size;
}

const Parameter& ParameterTable::Find(std::string_view name) const& {
  for (const Parameter& parameter : all_) {
    if (parameter.name == name) return parameter;
  }
  std::fprintf(stderr, "no parameter %s\n", std::string(name).c_str());
  std::abort();
}

std::string ParameterTable::LayerName(int layer, std::string_view part) {
  return absl::StrCat("layer", layer, ".", std::string(part));
}

std::vector<float> InitialWeights(const ModelShape& shape, uint64_t seed) {
  const ParameterTable table(shape);
  std::vector<float> weights(table.total());
  Random random(seed);
  for (const Parameter& parameter : table.all()) {
    const float limit = InitialLimit(shape, parameter);
    for (size_t i = 0; i < parameter.size; ++i) {
      weights[parameter.offset + i] = IsNorm(parameter) ? 1.0f : random.Symmetric(limit);
    }
  }
  return weights;
}

}  // namespace anex::train
