// What is wrong with a function as a whole: outputs, states, and results that nobody uses.
#ifndef ANEX_SERVER_MIL_CHECK_H_
#define ANEX_SERVER_MIL_CHECK_H_

#include "server/mil/diagnostic.h"
#include "server/mil/resolve.h"

namespace anex::mil {

// All of its operations have been checked.
void CheckFunction(const ResolvedFunction& resolved, DiagnosticSink& sink);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_CHECK_H_
