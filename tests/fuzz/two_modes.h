// Runs a program on the cpu device in both of its modes and says where they disagree.
//
// A program that was changed at random may blow any difference up (a floor, a comparison, a
// quotient by almost nothing), so that whole programs cannot be compared. Operations can: the
// default mode runs once more with all that it computes for outputs, and each operation is repeated
// alone by the reference on what the default mode gave it. The outputs themselves must be the same
// bits either way. How far an operation may be off is the device's promise
// (server/device/cpu/README.md).
#ifndef ANEX_TESTS_FUZZ_TWO_MODES_H_
#define ANEX_TESTS_FUZZ_TWO_MODES_H_

#include <cstdint>
#include <string>

namespace anex::device::cpu {

enum class Outcome : uint8_t {
  kRefused,   // the text is no program
  kTooLarge,  // more than a test has time for
  kLacking,   // both modes refuse it alike
  kRan,
};

struct Comparison {
  Outcome outcome = Outcome::kRefused;
  int operations = 0;      // that were compared one by one
  std::string difference;  // "": none
};

// Weights are made up; inputs follow from the text, in every fourth one with infinities, NaNs and
// zeros of both signs among them.
Comparison CompareModes(const std::string& text);

}  // namespace anex::device::cpu

#endif  // ANEX_TESTS_FUZZ_TWO_MODES_H_
