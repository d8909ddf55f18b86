// Opsets: the tag of a function, ios15 to ios18, says which release of Core ML it is written for,
// and with it which operations and arguments there are. What is newer than its function's tag is
// pointed out, never refused: compilers have been seen to take it.
//
// Constant tables and the tree; linear in it. Any thread.
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

// Reports tags that do not exist, and what is newer than its function's.
void CheckOpsets(const SourceText& source, const ProgramSyntax& program, DiagnosticSink& sink);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_OPSET_H_
