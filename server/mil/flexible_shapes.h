// The function attribute FlexibleShapeInformation: which inputs have ranges of shapes, and the
// default shape of each. Only the defaults are used: a kernel has one shape.
#ifndef ANEX_SERVER_MIL_FLEXIBLE_SHAPES_H_
#define ANEX_SERVER_MIL_FLEXIBLE_SHAPES_H_

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/mil/diagnostic.h"
#include "server/mil/syntax.h"

namespace anex::mil {

// Default dimensions by input name; empty if the function has none. Reports what cannot be read.
std::unordered_map<std::string, std::vector<int64_t>> ReadDefaultShapes(
    const SourceText& source, const ProgramSyntax& syntax, const FunctionSyntax& function,
    DiagnosticSink& sink);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_FLEXIBLE_SHAPES_H_
