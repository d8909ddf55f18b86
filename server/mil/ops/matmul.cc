// Matrix products: matmul, linear, scaled dot-product attention.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/mil/op_context.h"
#include "server/mil/ops/families.h"

namespace anex::mil {
namespace {

// The dimensions in front of the last two.
Shape BatchOf(const Shape& shape) {
  if (shape.rank() < 3) return Shape();
  return *Shape::Make(shape.dims().first(static_cast<size_t>(shape.rank() - 2)));
}

// One operand as a matrix: a vector is a row on the left and a column on the right.
struct Matrix {
  int64_t rows = 1, columns = 1;
};

Matrix MatrixOf(const Shape& shape, bool transposed, bool left) {
  const int rank = shape.rank();
  if (rank == 1) return left ? Matrix{1, shape[0]} : Matrix{shape[0], 1};
  Matrix matrix{shape[rank - 2], shape[rank - 1]};
  if (transposed) std::swap(matrix.rows, matrix.columns);
  return matrix;
}

// Where one operand is a constant of another float type (ios17), the other one's type counts.
DType ProductType(OpContext& context) {
  return context.DTypeOf(context.IsConstant("x") ? "y" : "x");
}

Inferred InferMatmul(OpContext& context) {
  if (context.DTypeOf("x") != context.DTypeOf("y") &&
      context.IsConstant("x") == context.IsConstant("y")) {
    return context.Mismatch("y",
                            "x and y have different element types, which only a constant "
                            "beside a computed operand may have",
                            "insert a cast");
  }

  const Shape& x = context.ShapeOf("x");
  const Shape& y = context.ShapeOf("y");
  if (x.rank() == 0 || y.rank() == 0) {
    return context.Mismatch(x.rank() == 0 ? "x" : "y", "a scalar is not a matrix",
                            "use `mul` to scale");
  }
  const Matrix a = MatrixOf(x, context.Bool("transpose_x"), true);
  const Matrix b = MatrixOf(y, context.Bool("transpose_y"), false);
  if (a.columns != b.rows) {
    return context.Mismatch(
        "y",
        absl::StrCat("x gives ", a.rows, "x", a.columns, " matrices, y ", b.rows, "x", b.columns,
                     ": the inner sizes ", a.columns, " and ", b.rows, " differ"),
        a.columns == b.columns || a.rows == b.rows ? "is a transpose_x or transpose_y missing?"
                                                   : "");
  }
  const std::optional<Shape> batch = context.Broadcast("y", BatchOf(x), BatchOf(y));
  if (!batch.has_value()) return std::nullopt;
  std::vector<int64_t> dims(batch->dims().begin(), batch->dims().end());
  if (x.rank() > 1) dims.push_back(a.rows);
  if (y.rank() > 1) dims.push_back(b.columns);
  const std::optional<Shape> shape = context.MakeShape("y", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{ProductType(context), *shape}};
}

Inferred InferLinear(OpContext& context) {
  const Shape& x = context.ShapeOf("x");
  const Shape& weight = context.ShapeOf("weight");
  if (x.rank() == 0 || weight.rank() != 2 || weight[1] != x[x.rank() - 1]) {
    return context.Mismatch(
        "weight", absl::StrCat("weight ", weight.ToString(), " does not fit x ", x.ToString()),
        "weight is [outputs, inputs], inputs being the last dimension of x");
  }
  const DType dtype = context.DTypeOf("x");
  if (context.Has("bias") && context.ShapeOf("bias") != Shape{weight[0]}) {
    return context.Mismatch("bias", absl::StrCat("bias must have shape [", weight[0], "], found ",
                                                 context.ShapeOf("bias").ToString()));
  }
  std::vector<int64_t> dims(x.dims().begin(), x.dims().end());
  dims.back() = weight[0];
  const std::optional<Shape> shape = context.MakeShape("weight", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{dtype, *shape}};
}

// The mask is bool (true keeps) or any float to add, and broadcasts to [..., L, S].
bool CheckMask(OpContext& context, const Shape& scores) {
  if (!context.Has("attn_mask")) return true;
  const TensorType& mask = context.TypeOf("attn_mask");
  const std::optional<Shape> shape = context.Broadcast("attn_mask", scores, mask.shape);
  if (!shape.has_value()) return false;
  if (*shape == scores) return true;
  context.Mismatch("attn_mask",
                   absl::StrCat("the mask ", mask.shape.ToString(),
                                " does not broadcast to the scores ", scores.ToString()));
  return false;
}

Inferred InferAttention(OpContext& context) {
  const Shape& query = context.ShapeOf("query");
  const Shape& key = context.ShapeOf("key");
  const Shape& value = context.ShapeOf("value");
  const int rank = query.rank();
  if (rank < 3 || key.rank() != rank || value.rank() != rank) {
    return context.Mismatch(
        "key", absl::StrCat("query ", query.ToString(), ", key ", key.ToString(), " and value ",
                            value.ToString(), " must have the same rank, 3 or more"));
  }
  if (BatchOf(query) != BatchOf(key) || BatchOf(query) != BatchOf(value)) {
    return context.Mismatch(
        "key",
        absl::StrCat("query ", query.ToString(), ", key ", key.ToString(), " and value ",
                     value.ToString(), " must agree in all but the last two dimensions"),
        "repeat grouped key and value heads with `tile` first");
  }
  if (key[rank - 1] != query[rank - 1] || value[rank - 2] != key[rank - 2]) {
    return context.Mismatch(
        "key", absl::StrCat("query is [..., L, E], key [..., S, E], value "
                            "[..., S, V]; found ",
                            query.ToString(), ", ", key.ToString(), ", ", value.ToString()));
  }
  std::vector<int64_t> dims(query.dims().begin(), query.dims().end());
  dims.back() = key[rank - 2];
  const std::optional<Shape> scores = context.MakeShape("key", dims);
  if (!scores.has_value() || !CheckMask(context, *scores)) return std::nullopt;
  dims.back() = value[rank - 1];
  const std::optional<Shape> shape = context.MakeShape("value", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{context.DTypeOf("query"), *shape}};
}

// "x,y->out": one letter per axis, each at most once in an operand.
struct Equation {
  std::string x, y, out;
};

std::optional<Equation> ReadEquation(OpContext& context) {
  Equation equation;
  std::string text = context.Text("equation");
  std::erase(text, ' ');
  const size_t comma = text.find(','), arrow = text.find("->");
  bool good = comma != text.npos && arrow != text.npos && comma < arrow;
  if (good) {
    equation = {text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1),
                text.substr(arrow + 2)};
    for (const std::string* part : {&equation.x, &equation.y, &equation.out}) {
      good = good && part->size() <= kMaxRank;
      for (size_t i = 0; good && i < part->size(); ++i) {
        const char c = (*part)[i];
        good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) &&
               part->find(c, i + 1) == part->npos;
      }
    }
  }
  if (good) return equation;
  return context.Fail("equation",
                      absl::StrCat("`equation` cannot be ", Shown(context.Text("equation"))),
                      "such as \"nchw,nwhu->nchu\": two operands, a letter per axis, each once");
}

// Notes the size that `letter` has in an operand; an axis of size 1 is repeated.
bool Meet(OpContext& context, std::map<char, int64_t>& sizes, const std::string& letters,
          const Shape& shape) {
  if (static_cast<int>(letters.size()) != shape.rank()) {
    context.Mismatch("values", absl::StrCat("the operand ", shape.ToString(), " does not have the ",
                                            letters.size(), " axes of ", Shown(letters)));
    return false;
  }
  for (int axis = 0; axis < shape.rank(); ++axis) {
    int64_t& size = sizes.try_emplace(letters[static_cast<size_t>(axis)], 1).first->second;
    if (size != 1 && shape[axis] != 1 && size != shape[axis]) {
      context.Mismatch("values",
                       absl::StrCat("axis `", std::string(1, letters[static_cast<size_t>(axis)]),
                                    "` has size ", size, " and ", shape[axis]));
      return false;
    }
    size = std::max(size, shape[axis]);
  }
  return true;
}

Inferred InferEinsum(OpContext& context) {
  const std::vector<TensorType> values = context.TypesOf("values");
  if (values.size() != 2 || values[0].dtype != values[1].dtype) {
    return context.Mismatch("values", "einsum takes two operands of one element type");
  }
  const std::optional<Equation> equation = ReadEquation(context);
  if (!equation.has_value()) return std::nullopt;
  std::map<char, int64_t> sizes;
  if (!Meet(context, sizes, equation->x, values[0].shape) ||
      !Meet(context, sizes, equation->y, values[1].shape)) {
    return std::nullopt;
  }
  std::vector<int64_t> dims;
  for (const char letter : equation->out) {
    const auto size = sizes.find(letter);
    if (size == sizes.end()) {
      return context.Fail("equation", absl::StrCat("no operand has the axis `",
                                                   std::string(1, letter), "` of the result"));
    }
    dims.push_back(size->second);
  }
  const std::optional<Shape> shape = context.MakeShape("values", dims);
  if (!shape.has_value()) return std::nullopt;
  return std::vector{TensorType{values[0].dtype, *shape}};
}

constexpr Parameter kMatmul[] = {Arg("x", kNumbers), Arg("y", kNumbers).LooselyLike("x"),
                                 ConstBool("transpose_x").OrBool(false),
                                 ConstBool("transpose_y").OrBool(false)};
constexpr Parameter kLinear[] = {Arg("x", kNumbers), Arg("weight", kNumbers).LooselyLike("x"),
                                 Arg("bias", kNumbers).LooselyLike("x").Optional()};
constexpr Parameter kAttention[] = {Arg("query", kFloats), Arg("key", kFloats).Like("query"),
                                    Arg("value", kFloats).Like("query"),
                                    Arg("attn_mask", kFloats | kBools).Optional()};

constexpr Parameter kEinsum[] = {Arg("values", kFloats).Variadic(), ConstText("equation")};

constexpr OpSignature kOps[] = {
    {"matmul", kMatmul, InferMatmul},
    {"linear", kLinear, InferLinear},
    {"einsum", kEinsum, InferEinsum},
    {"scaled_dot_product_attention", kAttention, InferAttention},
};

}  // namespace

std::span<const OpSignature> MatmulOps() { return kOps; }

}  // namespace anex::mil
