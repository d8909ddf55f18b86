#include "server/mil/value_writer.h"

#include <array>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/mil/lexer.h"
#include "server/mil/number.h"

namespace anex::mil {
namespace {

constexpr std::string_view kModelPath = "@model_path/";

struct Brackets {
  char open, close;
};

Brackets BracketsOf(Literal::Kind kind) {
  if (kind == Literal::Kind::kList) return {'[', ']'};
  return kind == Literal::Kind::kTuple ? Brackets{'(', ')'} : Brackets{'{', '}'};
}

}  // namespace

void ValueWriter::AppendScalar(std::string_view scalar, std::string& out) const {
  if (dialect_ == Dialect::kCompact || FindScalarType(scalar) == nullptr) {
    out += scalar;
  } else {
    absl::StrAppend(&out, "tensor<", std::string(scalar), ", []>");
  }
}

void ValueWriter::AppendDims(std::span<const int64_t> dims, std::string& out) const {
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) out += ", ";
    if (dims[i] == kUnknownDim) {
      out.push_back('?');
    } else {
      absl::StrAppend(&out, dims[i]);
    }
  }
}

void ValueWriter::AppendType(const TypeSyntax& type, std::string& out) const {
  const std::string_view scalar = source_.Text(type.scalar);
  switch (type.kind) {
    case TypeSyntax::Kind::kScalar:
      return AppendScalar(scalar, out);
    case TypeSyntax::Kind::kTensor:
      if (type.dims.empty()) return AppendScalar(scalar, out);
      absl::StrAppend(&out, "tensor<", std::string(scalar), ", [");
      AppendDims(type.dims, out);
      out += "]>";
      return;
    case TypeSyntax::Kind::kTensorBuffer:  // refused wherever it stands
      out += source_.Text(type.span);
      return;
    case TypeSyntax::Kind::kList:
      out += "list<";
      break;
    case TypeSyntax::Kind::kTuple:
      out += "tuple<";
      break;
    case TypeSyntax::Kind::kDict:
      out += "dict<";
      break;
    case TypeSyntax::Kind::kState:
      out += "state<";
      break;
  }
  for (size_t i = 0; i < type.children.size(); ++i) {
    if (i > 0) out += ", ";
    AppendType(type.children[i], out);
  }
  if (!type.dims.empty() && !type.children.empty()) out += ", ";
  AppendDims(type.dims, out);
  out.push_back('>');
}

bool ValueWriter::IsList(uint32_t literal) const {
  return literals_[literal].kind == Literal::Kind::kList ||
         literals_[literal].kind == Literal::Kind::kTuple;
}

// Whether the literal's lists nest as the shape does, or are one flat list (or none), and all that
// is in them is as many numbers as the shape has elements.
bool ValueWriter::NestsAs(const ValueSyntax& value) const {
  const Nodes<int64_t> dims = value.type.dims;
  uint64_t elements = 1;
  for (const int64_t dim : dims) {
    if (dim <= 0 || elements > UINT32_MAX) return false;
    elements *= static_cast<uint64_t>(dim);
  }
  struct Level {
    uint32_t end;
    int64_t children;
  };
  std::vector<Level> open;
  uint64_t numbers = 0;
  bool nested = false, flat = false;
  for (uint32_t i = value.literal; i < value.literal_end; ++i) {
    if (!open.empty()) ++open.back().children;
    if (IsList(i)) {
      nested = nested || !open.empty();
      open.push_back({literals_[i].end, 0});
    } else if (literals_[i].kind == Literal::Kind::kNumber ||
               literals_[i].kind == Literal::Kind::kWord) {
      ++numbers;
      flat = flat || open.size() <= 1;
      if (open.size() > 1 && open.size() != dims.size()) return false;
    } else {
      return false;
    }
    while (!open.empty() && open.back().end == i + 1) {
      const Level done = open.back();
      open.pop_back();
      const bool fits = open.size() < dims.size() && done.children == dims[open.size()];
      if (nested && !fits) return false;
    }
  }
  return numbers == elements && !(nested && flat && dims.size() != 1);
}

void ValueWriter::AppendNested(const ValueSyntax& value, const ScalarType& scalar,
                               std::string& out) const {
  const Nodes<int64_t> dims = value.type.dims;
  std::vector<int64_t> at(dims.size(), 0);
  out.append(dims.size(), '[');
  for (uint32_t i = value.literal; i < value.literal_end; ++i) {
    if (IsList(i)) continue;
    AppendLeaf(literals_[i], &scalar, out);
    size_t closed = 0;
    for (size_t axis = dims.size(); axis > 0 && ++at[axis - 1] == dims[axis - 1]; --axis) {
      at[axis - 1] = 0;
      ++closed;
    }
    out.append(closed, ']');
    if (closed == dims.size()) return;
    out += ", ";
    out.append(closed, '[');
  }
}

void ValueWriter::AppendLeaf(const Literal& literal, const ScalarType* scalar,
                             std::string& out) const {
  const std::string_view text = source_.Text(literal.span);
  if (literal.kind == Literal::Kind::kString) {
    out += Quote(Unquote(text));
    return;
  }
  std::array<std::byte, 8> element{};
  if (scalar != nullptr && !scalar->is_string() &&
      ReadNumber(text, *scalar, element.data()) == NumberResult::kOk) {
    return AppendNumber(scalar->dtype, element.data(), out);
  }
  out += text;
}

void ValueWriter::AppendBlob(uint32_t literal, std::string& out) const {
  std::string path = Unquote(source_.Text(literals_[literal + 1].span));
  if (!path.starts_with(kModelPath)) path.insert(0, kModelPath);
  std::string offset(source_.Text(literals_[literal + 2].span));
  uint64_t number = 0;
  if (absl::SimpleAtoi(offset, &number)) offset = absl::StrCat(number);
  out += "BLOBFILE(path = ";
  AppendScalar("string", out);
  absl::StrAppend(&out, "(", Quote(path), "), offset = ");
  AppendScalar("uint64", out);
  absl::StrAppend(&out, "(", offset, "))");
}

void ValueWriter::AppendLiteral(uint32_t literal, const ScalarType* scalar,
                                std::string& out) const {
  const Literal& root = literals_[literal];
  switch (root.kind) {
    case Literal::Kind::kNumber:
    case Literal::Kind::kString:
    case Literal::Kind::kWord:
      return AppendLeaf(root, scalar, out);
    case Literal::Kind::kBlob:
      return AppendBlob(literal, out);
    default:
      break;
  }
  const Brackets brackets = BracketsOf(root.kind);
  out.push_back(brackets.open);
  for (uint32_t child = literal + 1; child < root.end; child = literals_[child].end) {
    if (child > literal + 1) out += ", ";
    const size_t begin = out.size();
    AppendLiteral(child, scalar, out);
    const bool entry =
        root.kind == Literal::Kind::kDict && literals_[child].kind == Literal::Kind::kTuple;
    if (entry) {
      out[begin] = '{';
      out.back() = '}';
    }
  }
  out.push_back(brackets.close);
}

void ValueWriter::AppendValue(const ValueSyntax& value, std::string& out) const {
  if (!value.typed) return AppendLiteral(value.literal, nullptr, out);
  AppendType(value.type, out);
  out.push_back('(');
  const bool tensor =
      value.type.kind == TypeSyntax::Kind::kScalar || value.type.kind == TypeSyntax::Kind::kTensor;
  const ScalarType* scalar = tensor ? FindScalarType(source_.Text(value.type.scalar)) : nullptr;
  if (value.literal == value.literal_end) {
    // Nothing between the parentheses.
  } else if (scalar != nullptr && !scalar->is_string() && NestsAs(value)) {
    AppendNested(value, *scalar, out);
  } else {
    AppendLiteral(value.literal, scalar, out);
  }
  out.push_back(')');
}

std::optional<std::string> ValueWriter::StringOf(const ArgumentValue& value) const {
  if (value.reference() || value.value->literal == value.value->literal_end) return std::nullopt;
  const Literal& literal = literals_[value.value->literal];
  if (literal.kind != Literal::Kind::kString) return std::nullopt;
  return Unquote(source_.Text(literal.span));
}

}  // namespace anex::mil
