#include "server/rpc/role_gate.h"

#include <google/protobuf/descriptor.h>

#include "absl/strings/str_cat.h"
#include "anex/v1/admin.pb.h"
#include "anex/v1/chains.pb.h"
#include "anex/v1/daemon.pb.h"
#include "anex/v1/execution.pb.h"
#include "anex/v1/invocations.pb.h"
#include "anex/v1/kernels.pb.h"
#include "anex/v1/options.pb.h"
#include "anex/v1/parameters.pb.h"
#include "anex/v1/profiling.pb.h"
#include "anex/v1/realtime.pb.h"
#include "anex/v1/rings.pb.h"
#include "anex/v1/sessions.pb.h"
#include "anex/v1/surfaces.pb.h"

namespace anex::rpc {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;

// Every file of the contract that has services. Touching a message of each links the file in.
std::vector<const FileDescriptor*> ContractFiles() {
  return {v1::GetInfoRequest::descriptor()->file(),
          v1::OpenSessionRequest::descriptor()->file(),
          v1::CreateSurfaceRequest::descriptor()->file(),
          v1::ProgramPart::descriptor()->file(),
          v1::UpdateRequest::descriptor()->file(),
          v1::PrepareInvocationRequest::descriptor()->file(),
          v1::DefineChainRequest::descriptor()->file(),
          v1::EvaluateRequest::descriptor()->file(),
          v1::GetLimitsRequest::descriptor()->file(),
          v1::OpenRingRequest::descriptor()->file(),
          v1::ReserveRequest::descriptor()->file(),
          v1::Span::descriptor()->file()};
}

absl::StatusOr<MethodRules> Read(const MethodDescriptor& method) {
  const auto& options = method.options();
  if (!options.HasExtension(v1::required_role) || !options.HasExtension(v1::mutating) ||
      options.GetExtension(v1::required_role) == v1::ROLE_UNSPECIFIED) {
    return absl::InternalError(
        absl::StrCat(method.full_name(), " does not say its required_role and mutating options"));
  }
  MethodRules rules;
  rules.name = absl::StrCat(method.service()->name(), ".", method.name());
  rules.required_role = static_cast<Role>(options.GetExtension(v1::required_role));
  rules.mutating = options.GetExtension(v1::mutating);
  rules.needs_session = options.GetExtension(v1::needs_session);
  rules.not_built = options.GetExtension(v1::not_built);
  return rules;
}

const char* NameOf(Role role) {
  switch (role) {
    case Role::kObserver:
      return "observer";
    case Role::kOperator:
      return "operator";
    case Role::kOwner:
      return "owner";
  }
  return "unknown";
}

}  // namespace

absl::StatusOr<RoleGate> RoleGate::FromContract() {
  RoleGate gate;
  for (const FileDescriptor* file : ContractFiles()) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const MethodDescriptor& method = *file->service(s)->method(m);
        auto rules = Read(method);
        if (!rules.ok()) return rules.status();
        gate.methods_[absl::StrCat("/", method.service()->full_name(), "/", method.name())] =
            *std::move(rules);
      }
    }
  }
  return gate;
}

const MethodRules* RoleGate::Find(std::string_view grpc_path) const {
  const auto found = methods_.find(std::string(grpc_path));
  return found == methods_.end() ? nullptr : &found->second;
}

std::vector<std::string> RoleGate::Paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, rules] : methods_) paths.push_back(path);
  return paths;
}

absl::Status RoleGate::Check(const MethodRules& rules, Role role) {
  if (static_cast<int>(role) >= static_cast<int>(rules.required_role)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      rules.name, " needs the role ", NameOf(rules.required_role), "; this connection has ",
      NameOf(role),
      ". The daemon's main socket gives its owner every role; the observer socket only looks"));
}

}  // namespace anex::rpc
