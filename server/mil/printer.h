// A program back to text: one spelling for each program, in the compact dialect.
//
// Reading what was printed gives the same program, and printing that gives the same text and weight
// file. Defaults are written out, arguments stand in the catalog's order, constants that an
// operation names inline stay inline; large constants go to one weight file in the official layout.
// A constant that was declared again under one name gets a name of its own.
//
// For Apple's compiler, which wants what coremltools writes, everything is spelled out: see
// PrintOptions.
#ifndef ANEX_SERVER_MIL_PRINTER_H_
#define ANEX_SERVER_MIL_PRINTER_H_

#include <map>
#include <string>

#include "proto/values/kernel_values.h"
#include "server/mil/canonical.h"
#include "server/mil/program.h"

namespace anex::mil {

// Constants of more elements than this are written to "weights/weight.bin".
inline constexpr int64_t kMaxPrintedElements = 64;

struct PrintOptions {
  Dialect dialect = Dialect::kCompact;
  // Every constant is a const operation of its own, every operation has its `name`.
  bool spell_out = false;
  // Every large constant has a weight file of its own: "weights/0.bin", "weights/1.bin", ...
  bool file_per_weight = false;
  std::map<std::string, std::string> build_info;  // empty = no buildInfo
};

ProgramSource Print(const Program& program, const PrintOptions& options = {});

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_PRINTER_H_
