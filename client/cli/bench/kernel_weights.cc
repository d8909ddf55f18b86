#include "client/cli/bench/kernel_weights.h"

#include <cmath>
#include <cstddef>
#include <random>
#include <utility>

namespace anex::bench {
namespace {

constexpr uint16_t kSignBit = 0x8000;
constexpr int kMantissaBits = 10;

}  // namespace

KernelWeights KernelWeights::Identity(int channels) {
  std::vector<Row> rows(static_cast<size_t>(channels));
  for (size_t i = 0; i < rows.size(); ++i) rows[i].source = static_cast<uint32_t>(i);
  return KernelWeights(std::move(rows));
}

KernelWeights KernelWeights::Make(int channels, uint32_t seed) {
  // The engine's numbers are the standard's own; its distributions differ between libraries.
  std::mt19937 random(seed + 1);
  KernelWeights weights = Identity(channels);
  std::vector<Row>& rows = weights.rows_;
  for (size_t i = rows.size(); i > 1; --i) {
    std::swap(rows[i - 1].source, rows[random() % i].source);
  }
  for (Row& row : rows) {
    row.power = static_cast<int8_t>(static_cast<int>(random() % 3) - 1);
    row.negative = random() % 2 == 1;
  }
  return weights;
}

std::vector<float> KernelWeights::Dense() const {
  const size_t n = rows_.size();
  std::vector<float> dense(n * n);
  for (size_t i = 0; i < n; ++i) {
    dense[i * n + rows_[i].source] = std::ldexp(rows_[i].negative ? -1.0f : 1.0f, rows_[i].power);
  }
  return dense;
}

void KernelWeights::Apply(std::span<const uint16_t> in, int columns,
                          std::span<uint16_t> out) const {
  const size_t width = static_cast<size_t>(columns);
  for (size_t i = 0; i < rows_.size(); ++i) {
    const uint16_t* from = &in[rows_[i].source * width];
    uint16_t* to = &out[i * width];
    const uint16_t sign = rows_[i].negative ? kSignBit : 0;
    const uint16_t power = static_cast<uint16_t>(rows_[i].power << kMantissaBits);  // modulo 2^16
    for (size_t j = 0; j < width; ++j) {
      to[j] = static_cast<uint16_t>((from[j] + power) ^ sign);
    }
  }
}

}  // namespace anex::bench
