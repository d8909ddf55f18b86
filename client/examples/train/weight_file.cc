#include "client/examples/train/weight_file.h"

#include <utility>

#include "proto/wire/half.h"

namespace anex::train {
namespace {

constexpr uint64_t kBorder = 64;
constexpr uint32_t kSentinel = 0xDEADBEEF;
constexpr uint32_t kFp16 = 1;

template <typename T>
void Put(std::string& bytes, uint64_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

}  // namespace

uint64_t WeightFileWriter::Append(std::span<const float> values) {
  const uint64_t record = bytes_.size();
  const uint64_t data = record + kBorder;
  const uint64_t payload = 2 * values.size();
  bytes_.resize((data + payload + kBorder - 1) / kBorder * kBorder, '\0');
  Put(bytes_, record, kSentinel);
  Put(bytes_, record + 4, kFp16);
  Put(bytes_, record + 8, payload);
  Put(bytes_, record + 16, data);
  for (size_t i = 0; i < values.size(); ++i) Put(bytes_, data + 2 * i, FloatToHalf(values[i]));
  ++count_;
  return record;
}

std::string WeightFileWriter::Finish() && {
  Put(bytes_, 0, count_);
  Put(bytes_, 4, uint32_t{2});
  return std::move(bytes_);
}

}  // namespace anex::train
