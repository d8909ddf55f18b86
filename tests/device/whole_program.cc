#include "tests/device/whole_program.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/half.h"
#include "server/mil/blob_references.h"

namespace anex::device {
namespace {

// A sequence that does not repeat; in [-1, 1).
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed * 2862933555777941757ull + 3037000493ull) {}
  uint32_t Bits() {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<uint32_t>(state_ >> 32);
  }
  double Unit() { return Bits() / 2147483648.0 - 1; }

 private:
  uint64_t state_;
};

void Store(DType dtype, double value, size_t i, std::span<std::byte> data) {
  if (dtype == DType::kFp16) {
    const uint16_t half = DoubleToHalf(value);
    std::memcpy(&data[i * 2], &half, 2);
  } else {
    const float single = static_cast<float>(value);
    std::memcpy(&data[i * 4], &single, 4);
  }
}

// Floats as a layer has them at the start of training: +-1 over the root of how many are added up.
// Integers (quantised weights, palette indices, masks) are plain bits.
void Fill(const mil::BlobReference& reference, std::span<std::byte> data) {
  Noise noise(reference.offset + reference.bytes + reference.path.size());
  const DType dtype = reference.type.dtype;
  if (dtype != DType::kFp16 && dtype != DType::kFp32) {
    for (std::byte& byte : data) byte = static_cast<std::byte>(noise.Bits() >> 24);
    return;
  }
  const Shape& shape = reference.type.shape;
  const int64_t outputs = shape.rank() > 1 ? shape[0] : 1;
  const double scale = std::sqrt(1.0 / static_cast<double>(shape.ElementCount() / outputs));
  for (size_t i = 0; i < data.size() / ElementSize(dtype); ++i) {
    Store(dtype, noise.Unit() * scale, i, data);
  }
}

// A sparse weight has as many values as its mask has bits: `bits` of them, spread evenly.
void FillMask(size_t bits, std::span<std::byte> data) {
  const size_t all = data.size() * 8;
  bits = std::min(bits, all);
  for (std::byte& byte : data) byte = std::byte{0};
  for (size_t i = 0; i < bits; ++i) {
    const size_t at = i * all / bits;
    data[at / 8] |= static_cast<std::byte>(1u << (at % 8));
  }
}

// The elements of nonzero_data, by the place of the mask, of each constexpr_sparse_to_dense. Read
// from the text: a mask looks like any other blob of bytes.
std::map<uint64_t, size_t> SparseMasks(const std::string& text) {
  std::map<uint64_t, size_t> masks;
  const auto number_behind = [&](size_t from, std::string_view word) -> uint64_t {
    const size_t found = text.find(word, from);
    if (found == std::string::npos) return 0;
    return std::strtoull(text.c_str() + found + word.size(), nullptr, 10);
  };
  for (size_t at = text.find("constexpr_sparse_to_dense("); at != std::string::npos;
       at = text.find("constexpr_sparse_to_dense(", at + 1)) {
    const size_t offset = text.find("offset", text.find("mask", at));
    const size_t data = text.find("nonzero_data", at);
    masks[number_behind(offset, "(")] = number_behind(data, "[");
  }
  return masks;
}

// Inputs lie in +-kInputScale. Some programs carry weights in their inputs and multiply sums of 768
// products with one another: at this scale the largest value seen is in the hundreds.
constexpr double kInputScale = 0.1;

// Floats as noise; integers are token numbers, lengths and the like: small, and not all alike.
Tensor InputFor(const PortInfo& port, uint32_t seed) {
  const TensorLayout& layout = port.layout;
  if (IsFloat(layout.dtype) || layout.dtype == DType::kBool) {
    return NoiseTensor(layout.dtype, layout.shape, seed, kInputScale);
  }
  std::vector<double> values;
  for (int64_t i = 0; i < layout.shape.ElementCount(); ++i) values.push_back(1 + (i + seed) % 3);
  return MakeTensor(layout.dtype, layout.shape, values);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

constexpr uint64_t kSmaller = 8, kLeastShrunk = 32, kPairs = 8192;

uint64_t Shrunk(uint64_t number) {
  if (number < kLeastShrunk || number % kSmaller != 0) return number;
  return number == kPairs ? number / kSmaller / kSmaller : number / kSmaller;
}

}  // namespace

ProgramSource SourceOf(std::string name, std::string text) {
  ProgramSource source{.name = std::move(name), .text = std::move(text)};
  const std::map<uint64_t, size_t> masks = SparseMasks(source.text);
  source.weights = mil::MakeUpWeights(
      mil::ListBlobReferences(source.text),
      [&](const mil::BlobReference& reference, std::span<std::byte> data) {
        const auto mask = masks.find(reference.offset);
        return mask == masks.end() ? Fill(reference, data) : FillMask(mask->second, data);
      });
  return source;
}

std::string InSmall(const std::string& text) {
  std::string small;
  int depth = 0;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      const size_t end = std::min(text.find('"', i + 1), text.size() - 1);
      small += text.substr(i, end + 1 - i);
      i = end + 1;
      continue;
    }
    const bool starts =
        IsDigit(text[i]) && (text[i - 1] == ' ' || text[i - 1] == '[' || text[i - 1] == ',');
    if (!starts || depth == 0) {
      depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
      small += text[i++];
      continue;
    }
    size_t end = i;
    while (IsDigit(text[end])) ++end;
    const bool whole = text[end] == ',' || text[end] == ']';
    const std::string number = text.substr(i, end - i);
    small += whole ? absl::StrCat(Shrunk(std::stoull(number))) : number;
    i = end;
  }
  return small;
}

Tensors InputsFor(const FunctionInfo& info) {
  Tensors inputs;
  uint32_t seed = 1;
  for (const PortInfo& port : info.ports) {
    if (port.direction == PortDirection::kInput) inputs[port.name] = InputFor(port, seed++);
  }
  return inputs;
}

}  // namespace anex::device
