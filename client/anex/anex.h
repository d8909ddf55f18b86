// The C++ SDK of anexd. Read in this order: connect, session, surface and tensor_view, kernel and
// invocation, lane and submission_queue, parameter_set, chain. client/examples/quickstart.cc is the
// whole round in forty lines.
//
// Every fallible call returns absl::Status or absl::StatusOr. Every object is move-only, releases
// what it holds when it goes, and is empty after a move; Release() does the same and says how it
// went. Const methods are safe from any thread; moving, assigning and Release belong to one owner.
#ifndef ANEX_CLIENT_ANEX_ANEX_H_
#define ANEX_CLIENT_ANEX_ANEX_H_

#include "client/anex/chain.h"
#include "client/anex/connect.h"
#include "client/anex/element.h"
#include "client/anex/invocation.h"
#include "client/anex/kernel.h"
#include "client/anex/lane.h"
#include "client/anex/parameter_set.h"
#include "client/anex/program_file.h"
#include "client/anex/session.h"
#include "client/anex/submission_queue.h"
#include "client/anex/surface.h"
#include "client/anex/tensor_view.h"

#endif  // ANEX_CLIENT_ANEX_ANEX_H_
