// Findings about a program: the table of codes and the sink that collects them.
//
// Codes are stable: a code once published keeps its meaning and is never reused. A sink belongs to
// one run of the front end and one thread; it keeps at most a bounded number of findings, and of
// very long source lines only what is around the place, so hostile text cannot make it grow.
#ifndef ANEX_SERVER_MIL_DIAGNOSTIC_H_
#define ANEX_SERVER_MIL_DIAGNOSTIC_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/values/kernel_values.h"
#include "server/mil/source_text.h"

namespace anex::mil {

// One line per code; `Code` and the table of sentences (diagnostic.cc) are both made from it.
#define ANEX_MIL_CODES(X)                                                      \
  X(kStrayCharacters, 1, "characters that begin no token")                     \
  X(kUnterminatedString, 2, "a string without its closing quote")              \
  X(kUnexpectedToken, 3, "something else was expected here")                   \
  X(kMalformedNumber, 4, "a number that cannot be read")                       \
  X(kPositionalArgument, 5, "an argument without its name")                    \
  X(kDuplicateFunction, 101, "two functions of one name")                      \
  X(kDuplicateName, 102, "a name defined twice")                               \
  X(kUnknownName, 103, "a name that nothing defines")                          \
  X(kDuplicateOutput, 104, "an output listed twice")                           \
  X(kNoFunction, 105, "a program without functions")                           \
  X(kNotAValue, 106, "a state used as a value, or the other way round")        \
  X(kUnknownOpset, 107, "an opset that does not exist")                        \
  X(kUnknownType, 201, "a type that does not exist")                           \
  X(kUnsupportedType, 202, "a type that values of a program cannot have")      \
  X(kBadShape, 203, "a shape that no tensor can have")                         \
  X(kDynamicShape, 204, "an unknown dimension without a default")              \
  X(kLiteralMismatch, 205, "a literal that does not fit its type")             \
  X(kLiteralRange, 206, "a number outside its type's range")                   \
  X(kFlexibleShape, 207, "flexible shape information that makes no sense")     \
  X(kUnknownOperation, 301, "an operation that does not exist")                \
  X(kUnsupportedOperation, 302, "an operation that is not supported yet")      \
  X(kControlFlow, 303, "control flow, which the ANE does not run")             \
  X(kUnknownArgument, 304, "an argument that the operation does not have")     \
  X(kMissingArgument, 305, "a required argument is missing")                   \
  X(kDuplicateArgument, 306, "an argument given twice")                        \
  X(kArgumentType, 307, "an argument of the wrong type")                       \
  X(kArgumentNotConstant, 308, "an argument that must be a constant")          \
  X(kArgumentValue, 309, "an argument whose value is not possible")            \
  X(kResultCount, 310, "the wrong number of results")                          \
  X(kConstWithoutValue, 311, "a const without val")                            \
  X(kShapeMismatch, 401, "shapes that do not go together")                     \
  X(kDeclaredType, 402, "the declared type is not the type of the result")     \
  X(kMissingWeights, 501, "a weight file that was not sent")                   \
  X(kWeightPath, 502, "a weight path that leaves the model's folder")          \
  X(kWeightRecord, 503, "no weight record where BLOBFILE points")              \
  X(kWeightSize, 504, "weight data of the wrong size")                         \
  X(kTextTooLarge, 601, "the text is over its limit")                          \
  X(kTooDeep, 602, "brackets nested too deeply")                               \
  X(kTooManyOperations, 603, "more operations than the limit")                 \
  X(kTensorTooLarge, 604, "a tensor over the limit")                           \
  X(kTooManyLiterals, 605, "more inline numbers than the limit")               \
  X(kTooManyErrors, 606, "reading stopped after this many errors")             \
  X(kTooManyArguments, 607, "more arguments than any operation has")           \
  X(kTooManyFunctions, 608, "more functions than the limit")                   \
  X(kProgramTooLarge, 609, "a program that takes more memory than the limit")  \
  X(kTooManyOperands, 610, "more operands or ports than the limit")            \
  X(kNotOnDevice, 701, "an operation or type that the device does not run")    \
  X(kUnused, 901, "a result that nothing uses")                                \
  X(kRoundedToInfinity, 902, "a finite number that its type cannot hold")      \
  X(kWeightRecordOdd, 903, "a weight record that is not in the official form") \
  X(kDefaultShape, 904, "a flexible input fixed at its default shape")         \
  X(kUntypedLiteral, 905, "a literal without a type")                          \
  X(kDoubtfulShape, 906, "shapes that hardly anybody means")                   \
  X(kNoSemicolon, 907, "no `;` after a function's outputs")                    \
  X(kNoOutputs, 908, "a function without outputs")                             \
  X(kNewerOpset, 909, "something newer than the function's opset")

enum class Code : uint16_t {
#define ANEX_MIL_CODE(name, number, sentence) name = number,
  ANEX_MIL_CODES(ANEX_MIL_CODE)
#undef ANEX_MIL_CODE
};

std::string CodeName(Code code);           // "MIL0301"
std::string_view CodeSentence(Code code);  // the sentence of the table

// `name` in backquotes as it may appear in a message: control characters and bytes that are not
// printable ASCII escaped, long ones cut.
std::string Shown(std::string_view name);

// A finding at a place of `source`: position, line (proto/values/source_line.h) and what to
// underline filled in.
Diagnostic MakeDiagnostic(const SourceText& source, Severity severity, std::string code, Span at,
                          std::string message, std::string help = "");

class DiagnosticSink {
 public:
  // `source` must outlive the sink. `stopped`, if any, is asked now and then: once it says so there
  // is no use in going on.
  DiagnosticSink(const SourceText& source, uint32_t error_limit,
                 std::function<bool()> stopped = nullptr);

  // A finding just reported; lives until the next one. Adds places that matter to it:
  // sink.Error(...).See(first, "first defined here").
  class Report {
   public:
    Report& See(Span at, std::string message);

   private:
    friend class DiagnosticSink;
    Report(DiagnosticSink* sink, bool kept) : sink_(sink), kept_(kept) {}
    DiagnosticSink* sink_;
    bool kept_;
  };

  Report Error(Code code, Span at, std::string message, std::string help = "");
  Report Warning(Code code, Span at, std::string message, std::string help = "");
  Report Note(Code code, Span at, std::string message, std::string help = "");

  bool has_errors() const { return errors_ > 0; }
  uint32_t errors() const { return errors_; }
  uint32_t findings() const { return errors_ + others_; }
  // True once the error limit is reached, or nobody wants to know more: go no further, nothing more
  // is kept. Every loop over what a text says looks here.
  bool full() { return errors_ >= error_limit_ || stopped(); }
  bool stopped();
  const SourceText& source() const { return source_; }

  // What was found, in source order; the sink is empty afterwards.
  std::vector<Diagnostic> Take();

 private:
  void Add(Severity severity, Code code, Span at, std::string message, std::string help);

  struct Found {
    uint32_t offset;
    Diagnostic diagnostic;
  };
  const SourceText& source_;
  uint32_t error_limit_, errors_ = 0, others_ = 0;
  const std::function<bool()> ask_stopped_;
  uint32_t looks_ = 0;  // since it was asked
  bool stopped_ = false;
  std::vector<Found> found_;
  std::optional<Found> last_;  // the note that the limit of errors was reached
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_DIAGNOSTIC_H_
