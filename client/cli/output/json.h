// The values of the contract as JSON: the schema that README.md documents. Additions only, never a
// renamed or removed key. 64-bit identifiers are strings ("slot.generation"), because JSON numbers
// lose bits in many readers; times are integers with their unit in the key. Pure functions, any
// thread.
#ifndef ANEX_CLIENT_CLI_OUTPUT_JSON_H_
#define ANEX_CLIENT_CLI_OUTPUT_JSON_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "nlohmann/json.hpp"
#include "proto/values/kernel_values.h"
#include "proto/values/status_values.h"

namespace anex::cli {

using Json = nlohmann::ordered_json;

Json ToJson(const DaemonInfo& info);
Json ToJson(const DeviceInfo& device);
Json ToJson(const UsageCounters& usage);
Json ToJson(const DeviceStatus& device);
Json ToJson(const SessionStatus& session);
Json ToJson(const KernelStatus& kernel);
Json ToJson(const SurfaceStatus& surface);
Json ToJson(const DaemonStatus& status);
Json ToJson(const TensorLayout& layout);
Json ToJson(const FunctionInfo& function);
Json ToJson(const Diagnostic& diagnostic);
Json ToJson(const KernelInfo& kernel);
Json ToJson(const CheckResult& result);
Json ToJson(const CacheEntryInfo& entry);
Json ToJson(const LimitInfo& limit);
// {"error": {"code": "NOT_FOUND", "message": "..."}}
Json ErrorJson(const absl::Status& status);

template <typename T>
Json ToJsonList(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(ToJson(value));
  return list;
}

// One line and a line break; bytes that are no UTF-8 become U+FFFD rather than an exception.
std::string Dump(const Json& json);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_JSON_H_
