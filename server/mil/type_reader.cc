#include "server/mil/type_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/mil/nearest_name.h"

namespace anex::mil {

bool DeclaredType::IsFixed() const { return std::ranges::find(dims, kUnknownDim) == dims.end(); }

bool DeclaredType::IsEmptyList() const {
  return kind == TypeKind::kTensor && dims.size() == 1 && dims[0] == 0;
}

Type DeclaredType::Fixed() const {
  Type type;
  type.kind = kind;
  if (kind == TypeKind::kString) return type;
  type.tensor.dtype = scalar.dtype;
  type.tensor.shape = IsEmptyList() ? Shape({0}) : Shape::Make(dims).value_or(Shape());
  return type;
}

bool DeclaredType::Accepts(const Type& type) const {
  if (kind != type.kind) return false;
  if (kind == TypeKind::kString) return true;
  const Shape& shape = type.tensor.shape;
  if (scalar.dtype != type.tensor.dtype || static_cast<int>(dims.size()) != shape.rank()) {
    return false;
  }
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const int64_t dim = dims[static_cast<size_t>(axis)];
    if (dim != kUnknownDim && dim != shape[axis]) return false;
  }
  return true;
}

std::string DeclaredType::ToString() const {
  std::string text(scalar.name);
  if (!dims.empty()) {
    text = absl::StrCat("tensor<", text, ", [");
    for (size_t i = 0; i < dims.size(); ++i) {
      absl::StrAppend(&text, i ? ", " : "", dims[i] == kUnknownDim ? "?" : absl::StrCat(dims[i]));
    }
    text += "]>";
  }
  return kind == TypeKind::kState ? absl::StrCat("state<", text, ">") : text;
}

std::optional<DeclaredType> TypeReader::Read(const TypeSyntax& type) {
  std::optional<DeclaredType> read = ReadOfConstant(type);
  if (!read.has_value() || !read->IsEmptyList()) return read;
  sink_.Error(Code::kBadShape, type.span, "shape [0] has a dimension below 1",
              "only a constant can be an empty list");
  return std::nullopt;
}

std::optional<DeclaredType> TypeReader::ReadOfConstant(const TypeSyntax& type) {
  if (type.span.length == 0) return std::nullopt;  // could not be read: the parser has said why
  const std::string_view spelling = source_.Text(type.span);
  if (const DeclaredType* known = recent_.Find(spelling)) return *known;
  std::optional<DeclaredType> read = ReadAnew(type);
  if (read.has_value()) recent_.Keep(spelling, *read);
  return read;
}

std::optional<DeclaredType> TypeReader::ReadAnew(const TypeSyntax& type) {
  if (type.kind == TypeSyntax::Kind::kState) {
    if (type.children.size() != 1 || type.children[0].kind == TypeSyntax::Kind::kState) {
      sink_.Error(Code::kUnsupportedType, type.span, "a state holds one tensor",
                  "write state<tensor<fp16, [1, 64]>>");
      return std::nullopt;
    }
    std::optional<DeclaredType> content = Read(type.children[0]);
    if (content.has_value()) content->kind = TypeKind::kState;
    return content;
  }
  if (type.kind != TypeSyntax::Kind::kScalar && type.kind != TypeSyntax::Kind::kTensor) {
    sink_.Error(Code::kUnsupportedType, type.span,
                absl::StrCat("a value cannot be of type ", Shown(source_.Text(type.span))),
                type.kind == TypeSyntax::Kind::kTensorBuffer
                    ? "that is how Apple's compiler reports on a program; write the program itself"
                    : "values are tensors, scalars and strings; lists and dictionaries exist in "
                      "attributes only");
    return std::nullopt;
  }
  const std::string_view name = source_.Text(type.scalar);
  const ScalarType* scalar = FindScalarType(name);
  if (scalar == nullptr) {
    std::vector<std::string_view> names;
    for (const ScalarType& known : kScalarTypes) names.push_back(known.name);
    sink_.Error(Code::kUnknownType, type.scalar,
                absl::StrCat("there is no element type ", Shown(name)), DidYouMean(name, names));
    return std::nullopt;
  }
  DeclaredType declared{.scalar = *scalar, .dims = {type.dims.begin(), type.dims.end()}};
  if (scalar->is_string()) declared.kind = TypeKind::kString;
  if (!CheckDims(type, declared)) return std::nullopt;
  return declared;
}

bool TypeReader::CheckDims(const TypeSyntax& type, const DeclaredType& declared) {
  if (declared.kind == TypeKind::kString) {
    if (declared.dims.empty()) return true;
    sink_.Error(Code::kUnsupportedType, type.span, "a tensor of strings is not supported");
    return false;
  }
  if (declared.IsEmptyList()) return true;
  auto dims = declared.dims;
  std::ranges::replace(dims, kUnknownDim, int64_t{1});
  const absl::StatusOr<Shape> shape = Shape::Make(dims);
  if (!shape.ok()) {
    sink_.Error(Code::kBadShape, type.span, std::string(shape.status().message()));
    return false;
  }
  const absl::StatusOr<TensorLayout> layout = MakePackedLayout(declared.scalar.dtype, *shape);
  if (layout.ok()) return true;
  sink_.Error(Code::kTensorTooLarge, type.span, std::string(layout.status().message()));
  return false;
}

}  // namespace anex::mil
