// What an operation on small constants comes to, worked out while a program is checked: exporters
// compute shapes (shape > gather > concat > reshape), and the results must be known to infer types.
//
// Only what such chains consist of is folded: moves of any element type, arithmetic on integers,
// bools and short floats, in the meaning and rounding that devices give it. Everything else is left
// to the device, and so is what could be said to be an error of the run (a division by 0, an index
// outside). Of made-up constants (value.h) made-up ones come out.
//
// One folder serves one program, on one thread; it has a budget, so that a program's check takes
// time linear in its text.
#ifndef ANEX_SERVER_MIL_FOLD_H_
#define ANEX_SERVER_MIL_FOLD_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "server/mil/program.h"
#include "server/mil/value.h"

namespace anex::mil {

// One constant per result; empty if the operation was not folded.
using Folded = std::vector<std::shared_ptr<const Constant>>;

class Folder {
 public:
  // REQUIRES: `operation` belongs to `function` and has been checked; its results have their types.
  Folded Fold(const Function& function, const Operation& operation);

 private:
  bool Spend(int64_t elements);

  int64_t budget_ = int64_t{1} << 22;  // elements looked at by operations that are not tiny
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_FOLD_H_
