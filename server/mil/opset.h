// Opsets: the tag of a function, ios15 to ios18, says which release of Core ML it is written for,
// and with it which operations and arguments there are. What is newer than its function's tag is
// pointed out, never refused: compilers have been seen to take it.
//
// Constant tables and pieces of the tree; linear in them. Any thread.
#ifndef ANEX_SERVER_MIL_OPSET_H_
#define ANEX_SERVER_MIL_OPSET_H_

#include <optional>
#include <string_view>

#include "server/mil/diagnostic.h"
#include "server/mil/source_text.h"
#include "server/mil/syntax.h"

namespace anex::mil {

// 15 for "ios15" and "CoreML5", and so on; nullopt for a tag that does not exist.
std::optional<int> OpsetNumber(std::string_view tag);

// The opset that brought the operation, or (`argument` not "") that argument of it. 15, the first
// one, for all that was there from the beginning.
int OpsetSince(std::string_view op, std::string_view argument = "");

// The opset of a function by its tag. Reports a tag that does not exist (then there is none), and
// parameters that are newer.
std::optional<int> CheckOpset(const SourceText& source, const FunctionSyntax& head,
                              DiagnosticSink& sink);
// Reports what of an operation is newer than its function's opset.
void CheckOpset(const SourceText& source, const OperationSyntax& operation, int opset,
                DiagnosticSink& sink);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_OPSET_H_
