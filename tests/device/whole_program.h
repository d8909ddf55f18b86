// What makes a program's text something to run: weights of the right size and inputs, made up, and
// dimensions that the reference gets through in a test's time.
#ifndef ANEX_TESTS_DEVICE_WHOLE_PROGRAM_H_
#define ANEX_TESTS_DEVICE_WHOLE_PROGRAM_H_

#include <string>

#include "server/mil/front_end.h"
#include "tests/device/harness.h"

namespace anex::device {

// With a record for every BLOBFILE of the text: floats as a layer has them at the start of
// training, masks of sparse weights with as many bits as there are values, any bits for other
// integers.
ProgramSource SourceOf(std::string name, std::string text);

// Values for every input: floats in +-0.1, small whole numbers.
Tensors InputsFor(const FunctionInfo& info);

// The text with every whole number from 32 on that stands in brackets divided by 8:
// shapes, and where slices begin. Offsets of weights are in parentheses and stay. Products and sums
// of dimensions keep fitting because all of them shrink alike and numbers of heads are under 32.
// One dimension is itself a product of two: 256 positions x 32 pairs of the rotary embedding.
std::string InSmall(const std::string& text);

}  // namespace anex::device

#endif  // ANEX_TESTS_DEVICE_WHOLE_PROGRAM_H_
