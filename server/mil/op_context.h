// What an infer function sees of one operation: its arguments, all of the types that the table asks
// for, and a way to refuse. Lives for one call; the program under construction is the checker's.
#ifndef ANEX_SERVER_MIL_OP_CONTEXT_H_
#define ANEX_SERVER_MIL_OP_CONTEXT_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/mil/diagnostic.h"
#include "server/mil/op_catalog.h"
#include "server/mil/program.h"
#include "server/mil/resolve.h"

namespace anex::mil {

class OpContext {
 public:
  // Of the function's last operation.
  OpContext(ResolvedFunction& resolved, DiagnosticSink& sink) : resolved_(resolved), sink_(sink) {}

  std::string_view op() const { return operation().op; }
  // 15 for ios15 and so on; 18, the newest one that changed anything, for any other name.
  int opset() const;
  size_t result_count() const { return operation().results.size(); }
  bool Has(std::string_view argument) const { return operation().Find(argument) != nullptr; }

  // REQUIRES of all below: the argument is there (and single, where one is returned). By value:
  // Fill adds values and would move what a reference names.
  TensorType TypeOf(std::string_view argument) const;
  Shape ShapeOf(std::string_view argument) const { return TypeOf(argument).shape; }
  DType DTypeOf(std::string_view argument) const { return TypeOf(argument).dtype; }
  std::vector<TensorType> TypesOf(std::string_view argument) const;
  bool IsConstant(std::string_view argument) const;
  // Bits per element of a constant as it was written (4 for int4); 0 for anything else.
  int BitsOf(std::string_view argument) const;

  // True once one of those below has read a constant whose elements nobody knows (value.h): what
  // was concluded from it means nothing.
  bool has_read_made_up() const { return has_read_made_up_; }

  // REQUIRES: constant, of that family.
  std::vector<int64_t> Ints(std::string_view argument) const;
  int64_t Int(std::string_view argument) const;
  std::vector<int64_t> AllInts(std::string_view argument) const;  // one of each, of a variadic one
  bool Bool(std::string_view argument) const;
  double Double(std::string_view argument) const;
  const std::string& Text(std::string_view argument) const;

  // Adds an argument that was not written; does nothing if it was.
  void Fill(std::string_view argument, std::shared_ptr<const Constant> constant);
  void Fill(std::string_view argument, ValueId value);
  void FillInts(std::string_view argument, std::span<const int64_t> values);  // int32 [n]
  void FillBools(std::string_view argument, size_t count);                    // false [n]

  // Reports at the argument's value (at the operation if it was not written) and gives nullopt.
  std::nullopt_t Fail(std::string_view argument, std::string message, std::string help = "");
  std::nullopt_t Mismatch(std::string_view argument, std::string message, std::string help = "");
  // Shapes that go together, but hardly as somebody meant them to.
  void Doubt(std::string_view argument, std::string message, std::string help = "");

  // The axis counted from 0; reports and gives nullopt if it is outside [-rank, rank).
  std::optional<int> AxisOf(std::string_view argument, int rank) {
    return AxisOf(argument, Int(argument), rank);
  }
  std::optional<int> AxisOf(std::string_view argument, int64_t axis, int rank);
  // All axes of the argument, distinct, each counted from 0, in the order written.
  std::optional<std::vector<int>> AxesOf(std::string_view argument, int rank);
  // Reports sizes that no tensor can have.
  std::optional<Shape> MakeShape(std::string_view argument, std::span<const int64_t> dims);
  // Numpy's right-aligned broadcasting; reports at `argument`, which has shape `b`.
  std::optional<Shape> Broadcast(std::string_view argument, const Shape& a, const Shape& b);
  // False (and a report) unless the ints number `count` and each is at least `minimum`.
  bool CheckInts(std::string_view argument, size_t count, int64_t minimum);
  // False (and a report) unless the text is one of `allowed`.
  bool CheckText(std::string_view argument, std::span<const std::string_view> allowed);

 private:
  Operation& operation() const { return resolved_.function.operations.back(); }
  void NoteMadeUp(std::string_view argument) const;
  Span PlaceOf(std::string_view argument) const;
  DiagnosticSink::Report Report(Code code, std::string_view argument, std::string message,
                                std::string help);

  ResolvedFunction& resolved_;
  DiagnosticSink& sink_;
  mutable bool has_read_made_up_ = false;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_OP_CONTEXT_H_
