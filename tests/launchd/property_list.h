// A reader of XML property lists for tests, as strict as what is shipped needs: dict, array,
// string, integer, true, false. Pure, any thread.
#ifndef ANEX_TESTS_LAUNCHD_PROPERTY_LIST_H_
#define ANEX_TESTS_LAUNCHD_PROPERTY_LIST_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/output/json.h"

namespace anex::test {

// INVALID_ARGUMENT with the offset for anything else, and for a key that occurs twice.
absl::StatusOr<cli::Json> ReadPropertyList(std::string_view text);

}  // namespace anex::test

#endif  // ANEX_TESTS_LAUNCHD_PROPERTY_LIST_H_
