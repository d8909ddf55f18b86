// Fills every field of a message, by reflection, with values that differ from field to field and
// that the contract allows, so that a field that a conversion forgets shows as a difference.
#ifndef ANEX_TESTS_CONVERT_FILL_MESSAGE_H_
#define ANEX_TESTS_CONVERT_FILL_MESSAGE_H_

#include <google/protobuf/message.h>

namespace anex::convert {

// `variant` chooses the member of each oneof and the value of each enum (both modulo their number),
// and shifts all numbers: over several variants everything has been set.
void Fill(google::protobuf::Message& message, int variant);

}  // namespace anex::convert

#endif  // ANEX_TESTS_CONVERT_FILL_MESSAGE_H_
