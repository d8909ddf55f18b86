#include "client/anex/tensor_view.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"

namespace anex::internal {

void IndexOutOfBounds(std::span<const int64_t> index, const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < index.size(); ++i) absl::StrAppend(&text, i == 0 ? "" : ", ", index[i]);
  std::fprintf(stderr, "anex: index %s] is outside a tensor of shape %s\n", text.c_str(),
               shape.ToString().c_str());
  std::abort();
}

absl::Status CountMismatch(size_t given, const Shape& shape) {
  return absl::InvalidArgumentError(absl::StrCat(given, " elements given for a tensor of shape ",
                                                 shape.ToString(), ", which has ",
                                                 shape.ElementCount()));
}

absl::Status NotPacked(const TensorLayout& layout) {
  return absl::FailedPreconditionError(absl::StrCat("the tensor is not one array without gaps (",
                                                    layout.ToString(),
                                                    "): use CopyFrom and CopyTo"));
}

absl::Status CheckView(const TensorLayout& layout, DType wanted, uint64_t bytes) {
  absl::Status sound = CheckLayout(layout);
  if (!sound.ok()) return sound;
  if (layout.dtype != wanted) {
    return absl::InvalidArgumentError(absl::StrCat("the tensor holds ",
                                                   std::string(DTypeName(layout.dtype)), ", not ",
                                                   std::string(DTypeName(wanted))));
  }
  if (SpanBytes(layout) > bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the tensor ends at byte ", SpanBytes(layout), " of memory that has ", bytes));
  }
  return absl::OkStatus();
}

}  // namespace anex::internal
