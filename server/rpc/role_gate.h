// Who may call what: read once, by reflection, from the options that every method of the contract
// carries (anex/v1/options.proto). Immutable, any thread.
#ifndef ANEX_SERVER_RPC_ROLE_GATE_H_
#define ANEX_SERVER_RPC_ROLE_GATE_H_

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/values/status_values.h"

namespace anex::rpc {

struct MethodRules {
  std::string name;  // "Surfaces.Create"
  Role required_role = Role::kOwner;
  bool mutating = true;
  bool needs_session = false;
  bool not_built = false;
};

class RoleGate {
 public:
  // INTERNAL if a method of the contract lacks its required_role or mutating option: the daemon
  // then does not start.
  static absl::StatusOr<RoleGate> FromContract();

  // The rules of "/anex.v1.Surfaces/Create"; null if the contract has no such method.
  const MethodRules* Find(std::string_view grpc_path) const;
  std::vector<std::string> Paths() const;

  // OK, or PERMISSION_DENIED that says which role is needed and where to get it.
  static absl::Status Check(const MethodRules& rules, Role role);

 private:
  std::unordered_map<std::string, MethodRules> methods_;  // by gRPC path
};

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_ROLE_GATE_H_
