// Operations that move nothing: their results are views of their operand.
#ifndef ANEX_SERVER_DEVICE_CPU_ALIAS_H_
#define ANEX_SERVER_DEVICE_CPU_ALIAS_H_

#include <optional>
#include <vector>

#include "server/device/cpu/op_site.h"
#include "server/device/cpu/view.h"

namespace anex::device::cpu {

struct Alias {
  std::string_view argument;  // whose buffer the results share
  std::vector<View> results;  // one per result
};

// Nothing if the operation computes something, or if no strides can describe its result.
std::optional<Alias> AliasOf(OpSite& site);

}  // namespace anex::device::cpu

#endif  // ANEX_SERVER_DEVICE_CPU_ALIAS_H_
