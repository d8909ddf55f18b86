#include "client/cli/bench/channel_rows.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "client/anex/element.h"
#include "client/anex/tensor_view.h"
#include "proto/wire/half.h"

namespace anex::bench {
namespace {

// Collects what differs, row by row.
class Differences {
 public:
  void Compare(const uint16_t* found, const uint16_t* expected, size_t row, size_t columns) {
    if (std::memcmp(found, expected, columns * sizeof(uint16_t)) == 0) return;
    for (size_t i = 0; i < columns; ++i) {
      if (found[i] == expected[i]) continue;
      if (count_++ > 0) continue;
      first_ = absl::StrCat("channel ", row, " column ", i, " is ", HalfToFloat(found[i]),
                            " and not ", HalfToFloat(expected[i]));
    }
  }
  absl::Status ToStatus(std::string_view what, size_t all) const {
    if (count_ == 0) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat(std::string(what), ": ", count_, " of ", all, " values are wrong; ", first_));
  }

 private:
  size_t count_ = 0;
  std::string first_;
};

}  // namespace

absl::StatusOr<ChannelRows> ChannelRows::Of(const Surface& surface) {
  const absl::StatusOr<TensorView<Half>> view = surface.View<Half>();
  if (!view.ok()) return view.status();
  const TensorLayout& layout = view->layout();
  const int last = layout.shape.rank() - 1;
  if (last < 2 || layout.strides[last] != sizeof(uint16_t)) {
    return absl::UnimplementedError(
        absl::StrCat("rows with gaps between their values: ", layout.ToString()));
  }
  ChannelRows rows;
  const std::array<int64_t, kMaxRank> origin{};
  rows.base_ = reinterpret_cast<std::byte*>(
      &view->at(std::span(origin).first(static_cast<size_t>(layout.shape.rank()))));
  rows.channels_ = static_cast<size_t>(layout.shape[1]);
  rows.columns_ = static_cast<size_t>(layout.shape[last]);
  rows.stride_ = static_cast<size_t>(layout.strides[1]);
  return rows;
}

void ChannelRows::Fill(std::span<const uint16_t> values) const {
  for (size_t c = 0; c < channels_; ++c) {
    std::memcpy(Row(c), &values[c * columns_], columns_ * sizeof(uint16_t));
  }
}

void ChannelRows::CopyTo(const ChannelRows& to) const {
  if (packed() && to.packed()) {
    std::memcpy(to.base_, base_, elements() * sizeof(uint16_t));
    return;
  }
  for (size_t c = 0; c < channels_; ++c) {
    std::memcpy(to.Row(c), Row(c), columns_ * sizeof(uint16_t));
  }
}

absl::Status ChannelRows::ExpectEqual(std::span<const uint16_t> expected,
                                      std::string_view what) const {
  Differences differences;
  for (size_t c = 0; c < channels_; ++c) {
    differences.Compare(Row(c), &expected[c * columns_], c, columns_);
  }
  return differences.ToStatus(what, elements());
}

absl::Status ExpectEqualBytes(std::string_view found, std::span<const uint16_t> expected,
                              int64_t columns, std::string_view what) {
  if (found.size() != expected.size_bytes()) {
    return absl::DataLossError(
        absl::StrCat(std::string(what), ": ", found.size(), " bytes, not ", expected.size_bytes()));
  }
  const size_t width = static_cast<size_t>(columns);
  std::vector<uint16_t> row(width);  // bytes of a message may lie anywhere
  Differences differences;
  for (size_t at = 0; at < expected.size(); at += width) {
    std::memcpy(row.data(), found.data() + at * sizeof(uint16_t), width * sizeof(uint16_t));
    differences.Compare(row.data(), &expected[at], at / width, width);
  }
  return differences.ToStatus(what, expected.size());
}

}  // namespace anex::bench
