#include "client/anex/parameter_buffers.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace anex::internal {

ParameterBuffers::ParameterBuffers(const CorePtr& core, ParameterSetInfo info)
    : info_(std::move(info)) {
  for (const ParameterInfo& parameter : info_.parameters) {
    const auto make = [&](SurfaceId buffer) {
      return std::make_shared<MappedTensor>(core, buffer, parameter.layout, Access::kReadWrite);
    };
    tensors_.push_back(make(parameter.buffers[0]));
    const bool one = parameter.buffers[0] == parameter.buffers[1];
    tensors_.push_back(one ? tensors_.back() : make(parameter.buffers[1]));
  }
}

absl::StatusOr<size_t> ParameterBuffers::IndexOf(std::string_view parameter) const {
  for (size_t i = 0; i < info_.parameters.size(); ++i) {
    if (info_.parameters[i].name == parameter) return i;
  }
  const std::string names =
      absl::StrJoin(info_.parameters, ", ",
                    [](std::string* out, const ParameterInfo& each) { out->append(each.name); });
  return absl::NotFoundError(
      absl::StrCat("the set has no parameter \"", std::string(parameter), "\"; it has: ", names));
}

absl::StatusOr<MappedTensor*> ParameterBuffers::Find(std::string_view parameter,
                                                     uint32_t buffer) const {
  const absl::StatusOr<size_t> index = IndexOf(parameter);
  if (!index.ok()) return index.status();
  if (buffer > 1) {
    return absl::InternalError(absl::StrCat("a set has buffers 0 and 1, not ", buffer));
  }
  return tensors_[2 * *index + buffer].get();
}

absl::StatusOr<const ParameterInfo*> ParameterBuffers::FindInfo(std::string_view parameter) const {
  const absl::StatusOr<size_t> index = IndexOf(parameter);
  if (!index.ok()) return index.status();
  return &info_.parameters[*index];
}

}  // namespace anex::internal
