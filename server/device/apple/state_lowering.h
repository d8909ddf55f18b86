// States as tensors that go in and come out. Nothing public says how the engine itself holds the
// states of a program that is given to it as text, so it is given none: each state becomes an input
// with its name, and, where the program writes it, an output with what it holds after the run.
//
//   read_state(s)               what s holds there: the input, or what was written last
//   write_state(s, v)           v is what s holds from here on
//   coreml_update_state(s, v)   both
//
// Whoever runs the lowered program puts the output where the input was (ane_request.h). A run that
// fails has then changed no state.
//
// Pure; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_STATE_LOWERING_H_
#define ANEX_SERVER_DEVICE_APPLE_STATE_LOWERING_H_

#include <memory>
#include <string>
#include <vector>

#include "server/mil/program.h"

namespace anex::device::apple {

// What one state of a function has become.
struct StateLink {
  std::string state;  // its name, now of an input
  std::string next;   // the output that has its value after a run; "" if the function only reads it
};

struct StatelessProgram {
  std::shared_ptr<const mil::Program> program;  // null: the given one has no states
  std::vector<std::vector<StateLink>> links;    // of each function, in the order of its states
};

// `program` must be checked (program.h).
StatelessProgram WithoutStates(const mil::Program& program);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_STATE_LOWERING_H_
