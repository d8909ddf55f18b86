// A parameter set's description and the mapped memory of its buffers, shared by the set and its
// guards, so that either may go first. Threads: any.
#ifndef ANEX_CLIENT_ANEX_PARAMETER_BUFFERS_H_
#define ANEX_CLIENT_ANEX_PARAMETER_BUFFERS_H_

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/anex/mapped_tensor.h"
#include "client/anex/session_core.h"
#include "proto/values/parameter_values.h"

namespace anex::internal {

class ParameterBuffers {
 public:
  ParameterBuffers(const CorePtr& core, ParameterSetInfo info);

  const ParameterSetInfo& info() const { return info_; }
  // Buffer 0 or 1 of the named parameter. NOT_FOUND names those there are.
  absl::StatusOr<MappedTensor*> Find(std::string_view parameter, uint32_t buffer) const;
  absl::StatusOr<const ParameterInfo*> FindInfo(std::string_view parameter) const;

 private:
  absl::StatusOr<size_t> IndexOf(std::string_view parameter) const;

  const ParameterSetInfo info_;
  // Two per parameter, in order; both the same for a fenced set.
  std::vector<std::shared_ptr<MappedTensor>> tensors_;
};

}  // namespace anex::internal

#endif  // ANEX_CLIENT_ANEX_PARAMETER_BUFFERS_H_
