#include "server/mil/op_context.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/mil/nearest_name.h"
#include "server/mil/opset.h"

namespace anex::mil {

int OpContext::opset() const {
  constexpr int kNewest = 18;  // ios26 brought nothing of its own
  return std::min(OpsetNumber(resolved_.function.opset).value_or(kNewest), kNewest);
}

TensorType OpContext::TypeOf(std::string_view argument) const {
  return resolved_.function.values[operation().Single(argument)].type.tensor;
}

std::vector<TensorType> OpContext::TypesOf(std::string_view argument) const {
  std::vector<TensorType> types;
  for (ValueId id : operation().Find(argument)->values) {
    types.push_back(resolved_.function.values[id].type.tensor);
  }
  return types;
}

bool OpContext::IsConstant(std::string_view argument) const {
  return resolved_.function.values[operation().Single(argument)].constant != nullptr;
}

int OpContext::BitsOf(std::string_view argument) const {
  return resolved_.values[operation().Single(argument)].bits;
}

void OpContext::NoteMadeUp(std::string_view argument) const {
  for (const ValueId id : operation().Find(argument)->values) {
    has_read_made_up_ = has_read_made_up_ || resolved_.function.values[id].constant->made_up();
  }
}

std::vector<int64_t> OpContext::Ints(std::string_view argument) const {
  NoteMadeUp(argument);
  return resolved_.function.Ints(operation(), argument);
}
int64_t OpContext::Int(std::string_view argument) const {
  NoteMadeUp(argument);
  return resolved_.function.Int(operation(), argument);
}
std::vector<int64_t> OpContext::AllInts(std::string_view argument) const {
  NoteMadeUp(argument);
  std::vector<int64_t> ints;
  for (ValueId id : operation().Find(argument)->values) {
    ints.push_back(resolved_.function.values[id].constant->AsInts()->front());
  }
  return ints;
}
bool OpContext::Bool(std::string_view argument) const {
  NoteMadeUp(argument);
  return resolved_.function.Bool(operation(), argument);
}
double OpContext::Double(std::string_view argument) const {
  NoteMadeUp(argument);
  return resolved_.function.Double(operation(), argument);
}
const std::string& OpContext::Text(std::string_view argument) const {
  return resolved_.function.Text(operation(), argument);
}

void OpContext::Fill(std::string_view argument, std::shared_ptr<const Constant> constant) {
  if (Has(argument)) return;
  // Small defaults are shared by all operations that need them: a program of a million operations
  // has a million times the same `false`.
  constexpr size_t kShared = 256;
  const ValueId fresh = static_cast<ValueId>(resolved_.function.values.size());
  ValueId id = fresh;
  if (constant->bytes().size() <= kShared) {
    const std::string_view bytes(reinterpret_cast<const char*>(constant->bytes().data()),
                                 constant->bytes().size());
    const std::string key =
        absl::StrCat(constant->type().ToString(), " ", constant->text(), std::string(bytes));
    id = resolved_.filled_in.try_emplace(key, fresh).first->second;
  }
  if (id == fresh) {
    const Type type = constant->type();
    resolved_.function.values.push_back({"", type, std::move(constant), {}});
    resolved_.values.push_back({});
  }
  Fill(argument, id);
}

void OpContext::Fill(std::string_view argument, ValueId value) {
  if (Has(argument)) return;
  operation().arguments.push_back({std::string(argument), {value}});
  resolved_.operation.arguments.push_back({});
}

void OpContext::FillInts(std::string_view argument, std::span<const int64_t> values) {
  if (Has(argument)) return;
  const Shape shape{static_cast<int64_t>(values.size())};
  Fill(argument, Constant::OfInts(DType::kInt32, shape, values));
}

void OpContext::FillBools(std::string_view argument, size_t count) {
  if (Has(argument)) return;
  const std::vector<int64_t> none(count, 0);
  Fill(argument, Constant::OfInts(DType::kBool, Shape{static_cast<int64_t>(count)}, none));
}

Span OpContext::PlaceOf(std::string_view argument) const {
  const std::vector<Argument>& arguments = operation().arguments;
  const ResolvedOperation& places = resolved_.operation;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].name == argument && places.arguments[i].value.length > 0) {
      return places.arguments[i].value;
    }
  }
  return places.op;
}

DiagnosticSink::Report OpContext::Report(Code code, std::string_view argument, std::string message,
                                         std::string help) {
  return sink_.Error(code, PlaceOf(argument), absl::StrCat("`", operation().op, "`: ", message),
                     std::move(help));
}

std::nullopt_t OpContext::Fail(std::string_view argument, std::string message, std::string help) {
  Report(Code::kArgumentValue, argument, std::move(message), std::move(help));
  return std::nullopt;
}

// Shapes that do not go together: shows where those of the operands come from.
std::nullopt_t OpContext::Mismatch(std::string_view argument, std::string message,
                                   std::string help) {
  DiagnosticSink::Report report =
      Report(Code::kShapeMismatch, argument, std::move(message), std::move(help));
  const OpSignature* signature = resolved_.operation.signature;
  for (const Argument& operand : operation().arguments) {
    const Parameter* parameter = signature->Find(operand.name);
    // Strides, modes and the like say nothing about shapes, unless they are what is wrong.
    if (parameter != nullptr && parameter->constant && operand.name != argument) continue;
    for (ValueId id : operand.values) {
      const ResolvedValue& declared = resolved_.values[id];
      const Value& value = resolved_.function.values[id];
      if (declared.immediate || value.type.kind != TypeKind::kTensor) continue;
      report.See(declared.name,
                 absl::StrCat(Shown(value.name), " is ", value.type.ToString(), ", declared here"));
    }
  }
  return std::nullopt;
}

void OpContext::Doubt(std::string_view argument, std::string message, std::string help) {
  sink_.Warning(Code::kDoubtfulShape, PlaceOf(argument),
                absl::StrCat("`", operation().op, "`: ", message), std::move(help));
}

std::optional<int> OpContext::AxisOf(std::string_view argument, int64_t axis, int rank) {
  if (axis >= -rank && axis < rank) return static_cast<int>(axis < 0 ? axis + rank : axis);
  return Fail(
      argument, absl::StrCat("axis ", axis, " is outside a tensor of rank ", rank),
      rank == 0 ? "a scalar has no axes" : absl::StrCat("axes go from ", -rank, " to ", rank - 1));
}

std::optional<std::vector<int>> OpContext::AxesOf(std::string_view argument, int rank) {
  std::vector<int> axes;
  for (int64_t axis : Ints(argument)) {
    const std::optional<int> counted = AxisOf(argument, axis, rank);
    if (!counted.has_value()) return std::nullopt;
    if (std::ranges::find(axes, *counted) != axes.end()) {
      return Fail(argument, absl::StrCat("axis ", axis, " is named twice"));
    }
    axes.push_back(*counted);
  }
  return axes;
}

std::optional<Shape> OpContext::MakeShape(std::string_view argument,
                                          std::span<const int64_t> dims) {
  absl::StatusOr<Shape> shape = Shape::Make(dims);
  if (shape.ok()) return *shape;
  Report(Code::kBadShape, argument,
         absl::StrCat("the result would have a ", std::string(shape.status().message())), "");
  return std::nullopt;
}

std::optional<Shape> OpContext::Broadcast(std::string_view argument, const Shape& a,
                                          const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::vector<int64_t> dims(static_cast<size_t>(rank));
  for (int i = 1; i <= rank; ++i) {
    const int64_t x = i <= a.rank() ? a[a.rank() - i] : 1;
    const int64_t y = i <= b.rank() ? b[b.rank() - i] : 1;
    if (x != y && x != 1 && y != 1) {
      return Mismatch(argument,
                      absl::StrCat("shapes ", a.ToString(), " and ", b.ToString(),
                                   " do not broadcast: ", x, " against ", y),
                      "dimensions are aligned at the right; each pair must be equal or hold a 1");
    }
    dims[static_cast<size_t>(rank - i)] = std::max(x, y);
  }
  return MakeShape(argument, dims);
}

bool OpContext::CheckInts(std::string_view argument, size_t count, int64_t minimum) {
  const std::vector<int64_t> ints = Ints(argument);
  if (ints.size() != count) {
    Fail(argument, absl::StrCat("`", std::string(argument), "` needs ", count, " numbers, found ",
                                ints.size()));
    return false;
  }
  for (int64_t value : ints) {
    if (value >= minimum && value < int64_t{1} << 40) continue;
    Fail(argument, absl::StrCat("`", std::string(argument), "` holds ", value,
                                value < minimum ? absl::StrCat("; at least ", minimum, " is needed")
                                                : std::string("; that is too large")));
    return false;
  }
  return true;
}

bool OpContext::CheckText(std::string_view argument, std::span<const std::string_view> allowed) {
  const std::string& text = Text(argument);
  if (std::ranges::find(allowed, text) != allowed.end()) return true;
  std::string help = DidYouMean(text, allowed);
  if (help.empty())
    help = absl::StrCat(
        "one of ", absl::StrJoin(std::vector<std::string>(allowed.begin(), allowed.end()), ", "));
  Fail(argument, absl::StrCat("`", std::string(argument), "` cannot be ", Shown(text)),
       std::move(help));
  return false;
}

}  // namespace anex::mil
