// Of one operation after the other: are the arguments those of its signature, and is the declared
// type of each result the one that follows from them? Fills in the defaults, folds constants. One
// thread, one run.
#ifndef ANEX_SERVER_MIL_INFER_SHAPES_H_
#define ANEX_SERVER_MIL_INFER_SHAPES_H_

#include "server/mil/diagnostic.h"
#include "server/mil/fold.h"
#include "server/mil/resolve.h"

namespace anex::mil {

// Completes the operation that was resolved last; reports everything that disagrees. What it got
// wrong does not make the operations behind it wrong: its results are taken as declared, and where
// the declaration itself disagrees nothing is said of what uses them. The same holds where weights
// that were not sent would have to be read. If `folder` turns it into constants, it is put aside:
// it does nothing any more.
void InferShapes(ResolvedFunction& resolved, Folder& folder, DiagnosticSink& sink);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_INFER_SHAPES_H_
