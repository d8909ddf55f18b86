// Changes a program's text so that it has a good chance of still being one: another dimension
// everywhere, another operation of the same family, another number, another operand of the same
// type, another element type, a list in a weight file, and moves (reversals, transpositions, cuts
// and joins) between an operation and those that use its result. Any bytes will do as a text; what
// cannot be changed comes back as it was.
#ifndef ANEX_TESTS_FUZZ_PROGRAM_MUTATOR_H_
#define ANEX_TESTS_FUZZ_PROGRAM_MUTATOR_H_

#include <cstdint>
#include <string>

namespace anex::mil {

// One change, the same for the same seed.
std::string Mutated(const std::string& text, uint32_t seed);

}  // namespace anex::mil

#endif  // ANEX_TESTS_FUZZ_PROGRAM_MUTATOR_H_
