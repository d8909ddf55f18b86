#include "client/examples/train/mil_function.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace anex::train {
namespace {

constexpr char kTables[] = "weights/tables.bin";

constexpr char kHeader[] =
    "program(1.3)\n"
    "[buildInfo = dict<string, string>({{\"coremlc-component-MIL\", \"3510.2.1\"}, "
    "{\"coremlc-version\", \"3505.4.1\"}, {\"coremltools-component-milinternal\", \"\"}, "
    "{\"coremltools-version\", \"9.0\"}})]\n{\n";

void Require(bool good, std::string_view op, const std::vector<int64_t>& dims) {
  if (good) return;
  std::fprintf(stderr, "mil_function: %s does not fit [%s]\n", std::string(op).c_str(),
               absl::StrJoin(dims, ", ").c_str());
  std::abort();
}

int64_t Count(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) count *= dim;
  return count;
}

}  // namespace

std::string MilTensorType(std::string_view element, const std::vector<int64_t>& dims) {
  return absl::StrCat("tensor<", std::string(element), ", [", absl::StrJoin(dims, ", "), "]>");
}

Mil MilFunction::Input(std::string_view port, std::vector<int64_t> dims) {
  const int id = static_cast<int>(statements_.size());
  statements_.push_back({MilTensorType("fp16", dims), std::string(port), "", {}, ""});
  inputs_.push_back(id);
  return {id, std::move(dims)};
}

void MilFunction::Output(std::string_view port, const Mil& value) {
  Require(std::find(outputs_.begin(), outputs_.end(), value.id) == outputs_.end(), "output",
          value.dims);
  statements_[value.id].name = std::string(port);
  outputs_.push_back(value.id);
}

Mil MilFunction::Add(std::string_view op, std::vector<int64_t> dims,
                     std::vector<Argument> arguments) {
  const int id = static_cast<int>(statements_.size());
  statements_.push_back({MilTensorType("fp16", dims), absl::StrCat(std::string(op), "_", id),
                         std::string(op), std::move(arguments), ""});
  return {id, std::move(dims)};
}

Mil MilFunction::Constant(std::string_view type, std::string_view literal,
                          std::vector<int64_t> dims) {
  const std::string value = absl::StrCat(std::string(type), "(", std::string(literal), ")");
  const auto [at, fresh] = constants_.try_emplace(value, static_cast<int>(statements_.size()));
  if (fresh) {
    statements_.push_back(
        {std::string(type), absl::StrCat("const_", at->second), "const", {}, value});
  }
  return {at->second, std::move(dims)};
}

Mil MilFunction::Bool(bool value) { return Constant("bool", value ? "true" : "false"); }
Mil MilFunction::Int(int64_t value) { return Constant("int32", absl::StrCat(value)); }
Mil MilFunction::Ints(const std::vector<int64_t>& values) {
  return Constant(MilTensorType("int32", {static_cast<int64_t>(values.size())}),
                  absl::StrCat("[", absl::StrJoin(values, ", "), "]"));
}
// Hexadecimal, so that the text says the very value.
Mil MilFunction::Scalar(float value) { return Constant("fp16", absl::StrFormat("%a", value)); }

Mil MilFunction::Table(std::string_view name, std::vector<int64_t> dims,
                       std::span<const float> values) {
  Require(Count(dims) == static_cast<int64_t>(values.size()), name, dims);
  const uint64_t offset = tables_.Append(values);
  const int id = static_cast<int>(statements_.size());
  const std::string type = MilTensorType("fp16", dims);
  statements_.push_back({type,
                         std::string(name),
                         "const",
                         {},
                         absl::StrCat(type, "(BLOBFILE(path = string(\"@model_path/", kTables,
                                      "\"), offset = uint64(", offset, ")))")});
  return {id, std::move(dims)};
}

Mil MilFunction::Elementwise(std::string_view op, const Mil& x, const Mil& y) {
  std::vector<int64_t> dims = x.dims.empty() ? y.dims : x.dims;
  if (!x.dims.empty() && !y.dims.empty()) {
    Require(x.dims.size() == y.dims.size(), op, y.dims);
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      Require(x.dims[axis] == y.dims[axis] || x.dims[axis] == 1 || y.dims[axis] == 1, op, y.dims);
      dims[axis] = std::max(x.dims[axis], y.dims[axis]);
    }
  }
  return Add(op, std::move(dims), {{"x", {x}}, {"y", {y}}});
}

Mil MilFunction::Sigmoid(const Mil& x) { return Add("sigmoid", x.dims, {{"x", {x}}}); }

Mil MilFunction::Softmax(const Mil& x, int axis) {
  const Mil on = Int(axis);
  return Add("softmax", x.dims, {{"axis", {on}}, {"x", {x}}});
}

Mil MilFunction::Reduce(std::string_view op, const Mil& x, int axis) {
  std::vector<int64_t> dims = x.dims;
  dims[axis] = 1;
  const Mil axes = Ints({axis}), keep = Bool(true);
  return Add(op, std::move(dims), {{"axes", {axes}}, {"keep_dims", {keep}}, {"x", {x}}});
}

Mil MilFunction::Matmul(const Mil& x, bool transpose_x, const Mil& y, bool transpose_y) {
  const size_t rank = x.dims.size();
  Require(rank == y.dims.size() && rank >= 2, "matmul", y.dims);
  const int64_t rows = x.dims[rank - (transpose_x ? 1 : 2)];
  const int64_t inner = x.dims[rank - (transpose_x ? 2 : 1)];
  Require(inner == y.dims[rank - (transpose_y ? 1 : 2)], "matmul", y.dims);
  std::vector<int64_t> dims = x.dims;
  dims[rank - 2] = rows;
  dims[rank - 1] = y.dims[rank - (transpose_y ? 2 : 1)];
  const Mil tx = Bool(transpose_x), ty = Bool(transpose_y);
  return Add("matmul", std::move(dims),
             {{"transpose_x", {tx}}, {"transpose_y", {ty}}, {"x", {x}}, {"y", {y}}});
}

Mil MilFunction::Reshape(const Mil& x, std::vector<int64_t> dims) {
  Require(Count(x.dims) == Count(dims), "reshape", x.dims);
  const Mil shape = Ints(dims);
  return Add("reshape", std::move(dims), {{"shape", {shape}}, {"x", {x}}});
}

Mil MilFunction::Transpose(const Mil& x, std::vector<int64_t> perm) {
  Require(perm.size() == x.dims.size(), "transpose", x.dims);
  std::vector<int64_t> dims;
  for (const int64_t axis : perm) dims.push_back(x.dims[axis]);
  const Mil order = Ints(perm);
  return Add("transpose", std::move(dims), {{"perm", {order}}, {"x", {x}}});
}

Mil MilFunction::Slice(const Mil& x, std::vector<int64_t> begin, std::vector<int64_t> size) {
  Require(begin.size() == x.dims.size() && size.size() == x.dims.size(), "slice", x.dims);
  const Mil from = Ints(begin), extent = Ints(size);
  return Add("slice_by_size", std::move(size), {{"begin", {from}}, {"size", {extent}}, {"x", {x}}});
}

Mil MilFunction::Concat(const std::vector<Mil>& values, int axis) {
  std::vector<int64_t> dims = values.front().dims;
  dims[axis] = 0;
  for (const Mil& value : values) dims[axis] += value.dims[axis];
  const Mil on = Int(axis), interleave = Bool(false);
  return Add("concat", std::move(dims),
             {{"axis", {on}}, {"interleave", {interleave}}, {"values", values}});
}

std::string MilFunction::Render(const Statement& statement) const {
  const std::string head =
      absl::StrCat("    ", statement.type, " ", statement.name, " = ", statement.op, "(");
  const std::string name = absl::StrCat(")[name = string(\"", statement.name, "\")");
  if (statement.op == "const")
    return absl::StrCat(head, name, ", val = ", statement.attribute, "];\n");
  std::vector<std::string> arguments;
  for (const Argument& argument : statement.arguments) {
    std::vector<std::string> names;
    for (const Mil& value : argument.values) names.push_back(statements_[value.id].name);
    const std::string joined = absl::StrJoin(names, ", ");
    const bool tuple = argument.key == "values";
    arguments.push_back(
        absl::StrCat(argument.key, " = ", tuple ? "(" : "", joined, tuple ? ")" : ""));
  }
  return absl::StrCat(head, absl::StrJoin(arguments, ", "), name, "];\n");
}

ProgramSource MilFunction::Finish() && {
  std::vector<std::string> parameters, results;
  for (const int id : inputs_) {
    parameters.push_back(absl::StrCat(statements_[id].type, " ", statements_[id].name));
  }
  for (const int id : outputs_) results.push_back(statements_[id].name);
  ProgramSource source;
  source.name = absl::StrCat(program_, ".mil");
  source.text =
      absl::StrCat(kHeader, "  func main<ios18>(", absl::StrJoin(parameters, ", "), ") {\n");
  for (const Statement& statement : statements_) {
    if (!statement.op.empty()) source.text += Render(statement);
  }
  absl::StrAppend(&source.text, "  } -> (", absl::StrJoin(results, ", "), ");\n}\n");
  if (!tables_.empty()) {
    source.weights[kTables] = std::make_shared<const std::string>(std::move(tables_).Finish());
  }
  return source;
}

}  // namespace anex::train
