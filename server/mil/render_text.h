// Findings as text for people: file:line:column, the line, a caret under the place, and the help.
#ifndef ANEX_SERVER_MIL_RENDER_TEXT_H_
#define ANEX_SERVER_MIL_RENDER_TEXT_H_

#include <span>
#include <string>

#include "proto/values/kernel_values.h"

namespace anex::mil {

// model.mil:12:34: error: [MIL0402] declared as ..., but `matmul` gives ...
//    12 |     tensor<fp16, [2, 4]> y = matmul(x = a, y = b);
//       |     ^~~~~~~~~~~~~~~~~~~~
//       = help: declare it as tensor<fp16, [2, 3]>
//
// Ends in a line break. Long lines are cut around the place; nothing in it can move the cursor.
std::string RenderText(const Diagnostic& diagnostic);
std::string RenderText(std::span<const Diagnostic> diagnostics);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_RENDER_TEXT_H_
