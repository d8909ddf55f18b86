#include "server/mil/opset.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/mil/nearest_name.h"

namespace anex::mil {
namespace {

constexpr int kFirst = 15;
constexpr int kStatesSince = 18;  // state<...> parameters
constexpr int kNewest = 18;       // nothing is newer, by the table below

struct Tag {
  std::string_view name;
  int number;
};
constexpr Tag kTags[] = {
    {"ios15", 15},   {"ios16", 16},   {"ios17", 17},   {"ios18", 18},   {"ios26", 26},
    {"CoreML5", 15}, {"CoreML6", 16}, {"CoreML7", 17}, {"CoreML8", 18}, {"CoreML9", 26},
};

struct Row {
  std::string_view op;
  int since;
  std::string_view argument = {};  // "": the operation itself
};
constexpr Row kRows[] = {
    {"constexpr_affine_dequantize", 16},
    {"constexpr_cast", 16},
    {"constexpr_lut_to_dense", 16},
    {"constexpr_sparse_to_dense", 16},
    {"fill_like", 16},
    {"pixel_unshuffle", 16},
    {"reshape_like", 16},
    {"crop_resize", 16, "pad_value"},
    {"gather", 16, "batch_dims"},
    {"gather_nd", 16, "batch_dims"},
    {"topk", 16, "return_indices"},
    {"topk", 16, "sort"},
    {"upsample_bilinear", 16, "half_pixel_centers"},
    {"dequantize", 17},
    {"quantize", 17},
    {"resize", 17},
    {"crop_resize", 17, "box_indices"},
    {"crop_resize", 17, "boxes"},
    {"gather", 17, "validate_indices"},
    {"gather_along_axis", 17, "validate_indices"},
    {"gather_nd", 17, "validate_indices"},
    {"reduce_argmax", 17, "output_dtype"},
    {"reduce_argmin", 17, "output_dtype"},
    {"scatter", 17, "validate_indices"},
    {"scatter_along_axis", 17, "validate_indices"},
    {"scatter_nd", 17, "validate_indices"},
    {"shape", 17, "output_dtype"},
    {"topk", 17, "output_indices_dtype"},
    {"constexpr_blockwise_shift_scale", 18},
    {"constexpr_lut_to_sparse", 18},
    {"constexpr_sparse_blockwise_shift_scale", 18},
    {"coreml_update_state", 18},
    {"read_state", 18},
    {"scaled_dot_product_attention", 18},
    {"slice_update", 18},
    {"write_state", 18},
    {"constexpr_lut_to_dense", 18, "vector_axis"},
    {"gru", 18, "input_bias"},
};

using RowsOfOp = std::unordered_map<std::string_view, std::vector<const Row*>>;

const RowsOfOp& TheRows() {
  static const RowsOfOp* const rows = [] {
    auto* built = new RowsOfOp;
    for (const Row& row : kRows) (*built)[row.op].push_back(&row);
    return built;
  }();
  return *rows;
}

void ReportNewer(Span at, int since, int opset, const std::string& what, DiagnosticSink& sink) {
  sink.Warning(Code::kNewerOpset, at,
               absl::StrCat(what, " exists from ios", since, " on, but the function is ios", opset),
               absl::StrCat("write func ...<ios", since, ">"));
}

// What follows `ios` or `CoreML`; nullopt if that is no number.
std::optional<int> Digits(std::string_view tag, std::string_view family) {
  if (!tag.starts_with(family)) return std::nullopt;
  tag.remove_prefix(family.size());
  if (tag.empty() || tag.size() > 4) return std::nullopt;
  int number = 0;
  for (const char c : tag) {
    if (c < '0' || c > '9') return std::nullopt;
    number = 10 * number + (c - '0');
  }
  return number;
}

// The tag that may have been meant: of releases the nearest in time, not the most alike in letters.
std::string HelpForTag(std::string_view tag) {
  for (const std::string_view family : {"ios", "CoreML"}) {
    const std::optional<int> wanted = Digits(tag, family);
    if (!wanted.has_value()) continue;
    const Tag* nearest = nullptr;
    const auto apart = [&](const Tag& one) {
      return std::abs(*Digits(one.name, family) - *wanted);
    };
    for (const Tag& one : kTags) {
      if (!one.name.starts_with(family)) continue;
      if (nearest == nullptr || apart(one) < apart(*nearest)) nearest = &one;
    }
    return absl::StrCat("did you mean ", Shown(nearest->name), "?");
  }
  std::vector<std::string_view> known;
  for (const Tag& one : kTags) known.push_back(one.name);
  std::string help = DidYouMean(tag, known);
  if (help.empty()) help = "those that exist are ios15, ios16, ios17, ios18 and ios26";
  return help;
}

// Where the argument is given, in the parentheses or in the brackets.
std::vector<Span> PlacesOf(const SourceText& source, const OperationSyntax& operation,
                           std::string_view argument) {
  std::vector<Span> places;
  for (const auto* arguments : {&operation.arguments, &operation.attributes}) {
    for (const ArgumentSyntax& given : *arguments) {
      if (source.Text(given.name) == argument) places.push_back(given.name);
    }
  }
  return places;
}

}  // namespace

std::optional<int> OpsetNumber(std::string_view tag) {
  const auto* found = std::ranges::find(kTags, tag, &Tag::name);
  if (found == std::end(kTags)) return std::nullopt;
  return found->number;
}

int OpsetSince(std::string_view op, std::string_view argument) {
  const auto found = TheRows().find(op);
  if (found == TheRows().end()) return kFirst;
  for (const Row* row : found->second) {
    if (row->argument == argument) return row->since;
  }
  return kFirst;
}

std::optional<int> CheckOpset(const SourceText& source, const FunctionSyntax& head,
                              DiagnosticSink& sink) {
  const std::string_view tag = source.Text(head.opset);
  const std::optional<int> opset = OpsetNumber(tag);
  if (!opset.has_value()) {
    sink.Error(Code::kUnknownOpset, head.opset, absl::StrCat("there is no opset ", Shown(tag)),
               HelpForTag(tag));
    return std::nullopt;
  }
  for (const NamedType& parameter : head.parameters) {
    if (parameter.type.kind != TypeSyntax::Kind::kState || *opset >= kStatesSince) continue;
    ReportNewer(parameter.type.span, kStatesSince, *opset, "a state", sink);
  }
  return opset;
}

void CheckOpset(const SourceText& source, const OperationSyntax& operation, int opset,
                DiagnosticSink& sink) {
  if (opset >= kNewest) return;
  const auto found = TheRows().find(source.Text(operation.op));
  if (found == TheRows().end()) return;
  for (const Row* row : found->second) {
    if (row->since <= opset) continue;
    if (row->argument.empty()) {
      return ReportNewer(operation.op, row->since, opset, Shown(row->op), sink);
    }
    for (const Span place : PlacesOf(source, operation, row->argument)) {
      ReportNewer(place, row->since, opset,
                  absl::StrCat("argument ", Shown(row->argument), " of ", Shown(row->op)), sink);
    }
  }
}

}  // namespace anex::mil
