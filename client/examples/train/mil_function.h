// Writes one MIL program with one function, statement by statement, and keeps the shape of every
// value, so that a program reads like the formula it computes:
//
//   MilFunction f("lin_fwd");
//   const Mil w = f.Input("w", {1, n, k}), x = f.Input("x", {1, k, t});
//   f.Output("y", f.Matmul(w, x));
//   ProgramSource source = f.Finish();
//
// All tensors are fp16. The text is the compact dialect, program(1.3) and ios18, with every
// attribute a named const, as hand-written programs for the Neural Engine have it.
//
// One owner at a time. Wrong shapes are bugs of the caller and end the process.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_MIL_FUNCTION_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_MIL_FUNCTION_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/examples/train/weight_file.h"
#include "proto/values/kernel_values.h"

namespace anex::train {

// A value of a MilFunction: an input, a constant or the result of a statement.
struct Mil {
  int id = -1;
  std::vector<int64_t> dims;
};

class MilFunction {
 public:
  // `program` names the program in listings and diagnostics.
  explicit MilFunction(std::string_view program) : program_(program) {}

  Mil Input(std::string_view port, std::vector<int64_t> dims);
  // Gives `value` the port's name; every value at most once. Ports come out in the order of calls.
  void Output(std::string_view port, const Mil& value);
  ProgramSource Finish() &&;

  Mil Scalar(float value);
  // A constant tensor that lies in the program's weight file.
  Mil Table(std::string_view name, std::vector<int64_t> dims, std::span<const float> values);

  // Elementwise, with numpy's broadcasting between equal ranks or with a scalar.
  Mil Add(const Mil& x, const Mil& y) { return Elementwise("add", x, y); }
  Mil Sub(const Mil& x, const Mil& y) { return Elementwise("sub", x, y); }
  Mil Mul(const Mil& x, const Mil& y) { return Elementwise("mul", x, y); }
  Mil Pow(const Mil& x, const Mil& y) { return Elementwise("pow", x, y); }
  Mil Sigmoid(const Mil& x);
  Mil Softmax(const Mil& x, int axis);
  Mil ReduceMean(const Mil& x, int axis) { return Reduce("reduce_mean", x, axis); }
  Mil ReduceSum(const Mil& x, int axis) { return Reduce("reduce_sum", x, axis); }  // keeps the axis
  // x [.., n, k] times y [.., k, m]; a transposed operand is given with its last two axes swapped.
  Mil Matmul(const Mil& x, const Mil& y) { return Matmul(x, false, y, false); }
  Mil Matmul(const Mil& x, bool transpose_x, const Mil& y, bool transpose_y);
  Mil Reshape(const Mil& x, std::vector<int64_t> dims);
  Mil Transpose(const Mil& x, std::vector<int64_t> perm);
  Mil Slice(const Mil& x, std::vector<int64_t> begin, std::vector<int64_t> size);
  Mil Concat(const std::vector<Mil>& values, int axis);

 private:
  struct Argument {
    std::string key;
    std::vector<Mil> values;  // more than one: a tuple
  };
  struct Statement {
    std::string type, name, op;
    std::vector<Argument> arguments;
    std::string attribute;  // of a const: its value
  };

  Mil Add(std::string_view op, std::vector<int64_t> dims, std::vector<Argument> arguments);
  Mil Elementwise(std::string_view op, const Mil& x, const Mil& y);
  Mil Reduce(std::string_view op, const Mil& x, int axis);
  // A const of `type` with this literal; equal ones are written once.
  Mil Constant(std::string_view type, std::string_view literal, std::vector<int64_t> dims = {});
  Mil Bool(bool value);
  Mil Int(int64_t value);
  Mil Ints(const std::vector<int64_t>& values);
  std::string Render(const Statement& statement) const;

  std::string program_;
  std::vector<Statement> statements_;  // a value's id is its index here; inputs have no op
  std::vector<int> inputs_, outputs_;
  std::map<std::string, int> constants_;
  WeightFileWriter tables_;
};

// "tensor<fp16, [1, 64, 1, 32]>"
std::string MilTensorType(std::string_view element, const std::vector<int64_t>& dims);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_MIL_FUNCTION_H_
