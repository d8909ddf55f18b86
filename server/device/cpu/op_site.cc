#include "server/device/cpu/op_site.h"

#include <numeric>

#include "absl/strings/str_cat.h"

namespace anex::device::cpu {

std::vector<int> OpSite::Axes(std::string_view argument, int rank) const {
  std::vector<int> axes;
  if (!Has(argument)) {
    axes.resize(static_cast<size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
    return axes;
  }
  for (const int64_t axis : Ints(argument)) axes.push_back(FromZero(axis, rank));
  return axes;
}

size_t OpSite::CountOf(std::string_view argument) const {
  return operation_.Find(argument)->values.size();
}

size_t OpSite::Use(std::string_view argument, size_t i) {
  const mil::ValueId id = operation_.Find(argument)->values[i];
  values_.MakeContiguous(id);
  return Add(id);
}

size_t OpSite::UseAsItLies(std::string_view argument) { return Add(operation_.Single(argument)); }

size_t OpSite::Add(mil::ValueId id) {
  inputs_.push_back(id);
  views_.push_back(values_.ViewOf(id));
  return inputs_.size() - 1;
}

absl::Status OpSite::Unsupported(std::string_view why) const {
  return absl::UnimplementedError(absl::StrCat("the cpu device does not support operation '",
                                               operation_.op, "' (line ", operation_.where.line,
                                               "): ", std::string(why)));
}

}  // namespace anex::device::cpu
