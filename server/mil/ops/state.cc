// State that lives across invocations: read_state, write_state.
#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

Inferred InferRead(OpContext& context) { return std::vector{context.TypeOf("input")}; }

Inferred InferWrite(OpContext& context) {
  if (context.TypeOf("data") == context.TypeOf("input")) return std::vector<TensorType>();
  return context.Mismatch(
      "data", absl::StrCat("the state holds ", context.TypeOf("input").ToString(), ", data is ",
                           context.TypeOf("data").ToString()));
}

constexpr Parameter kRead[] = {Arg("input", kStates)};
constexpr Parameter kWrite[] = {Arg("input", kStates), Arg("data", kTensors)};

constexpr OpSignature kOps[] = {
    {"read_state", kRead, InferRead},
    {"write_state", kWrite, InferWrite},
};

}  // namespace

std::span<const OpSignature> StateOps() { return kOps; }

}  // namespace anex::mil
