// A program back to text: one spelling for each program, in the compact dialect.
//
// Reading what was printed gives the same program, and printing that gives the same text and weight
// file. Defaults are written out, arguments stand in the catalog's order, constants that an
// operation names inline stay inline; large constants go to one weight file in the official layout.
// A constant that was declared again under one name gets a name of its own.
#ifndef ANEX_SERVER_MIL_PRINTER_H_
#define ANEX_SERVER_MIL_PRINTER_H_

#include "proto/values/kernel_values.h"
#include "server/mil/program.h"

namespace anex::mil {

// Constants of more elements than this are written to "weights/weight.bin".
inline constexpr int64_t kMaxPrintedElements = 64;

ProgramSource Print(const Program& program);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_PRINTER_H_
