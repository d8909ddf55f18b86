#include "server/mil/op_catalog.h"

#include <algorithm>
#include <unordered_map>

#include "absl/strings/str_join.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

constexpr std::string_view kKnownUnsupported[] = {
    "argsort",
    "classify",
    "conv_quantized",
    "coreml_update_state",
    "gather_nd",
    "gru",
    "list_gather",
    "list_length",
    "list_read",
    "list_scatter",
    "list_write",
    "make_list",
    "non_maximum_suppression",
    "non_zero",
    "one_hot",
    "random_bernoulli",
    "random_categorical",
    "random_normal",
    "random_uniform",
    "reshape_like",
    "reverse_sequence",
    "rnn",
    "scatter",
    "scatter_along_axis",
    "scatter_nd",
    "slice_update",
    "sliding_windows",
};

struct Catalog {
  std::unordered_map<std::string_view, const OpSignature*> by_name;
  std::vector<std::string_view> names;
};

const Catalog& TheCatalog() {
  static const Catalog* const catalog = [] {
    auto* built = new Catalog;
    for (std::span<const OpSignature> family : AllOpFamilies()) {
      for (const OpSignature& signature : family) {
        built->by_name.emplace(signature.name, &signature);
        built->names.push_back(signature.name);
      }
    }
    std::sort(built->names.begin(), built->names.end());
    return built;
  }();
  return *catalog;
}

}  // namespace

const Parameter* OpSignature::Find(std::string_view parameter) const {
  for (const Parameter& candidate : parameters) {
    if (candidate.name == parameter) return &candidate;
  }
  return nullptr;
}

const OpSignature* FindOp(std::string_view name) {
  const auto found = TheCatalog().by_name.find(name);
  return found == TheCatalog().by_name.end() ? nullptr : found->second;
}

bool IsKnownUnsupportedOp(std::string_view name) {
  return std::ranges::find(kKnownUnsupported, name) != std::end(kKnownUnsupported);
}

std::span<const std::string_view> SupportedOps() { return TheCatalog().names; }

std::string Describe(TypeSet types) {
  if (types == kTensors) return "a tensor";
  if (types == kNumbers) return "a tensor of numbers";
  if (types == kFloats) return "floats";
  if (types == kIntegers) return "integers";
  if (types == kStates) return "a state";
  std::vector<std::string> names;
  for (int i = 1; i <= static_cast<int>(DType::kBool); ++i) {
    const DType dtype = static_cast<DType>(i);
    if (types & SetOf(dtype)) names.emplace_back(DTypeName(dtype));
  }
  if (types & kStrings) names.emplace_back("string");
  return absl::StrJoin(names, " or ");
}

}  // namespace anex::mil
