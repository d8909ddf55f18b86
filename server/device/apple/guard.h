// The one place where what Objective-C throws or reports becomes a Status, and where every call in
// from C++ gets its autorelease pool.
//
// C++ exceptions must not pass: this folder is compiled without them.
#ifndef ANEX_SERVER_DEVICE_APPLE_GUARD_H_
#define ANEX_SERVER_DEVICE_APPLE_GUARD_H_

#import <Foundation/Foundation.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace anex::device::apple {

std::string ToString(NSString* text);  // "" for nil
NSString* ToNSString(std::string_view text);

// `what` failed with `error`, which may be nil: some calls say NO and nothing else.
absl::Status StatusOf(std::string_view what, NSError* error);
// INTERNAL with the exception's name and reason.
absl::Status StatusOf(std::string_view what, NSException* exception);

// Runs `body`, which returns a Status or a StatusOr, in an autorelease pool of its own. An
// NSException ends as a Status that names `what`; destructors of `body` have run.
template <typename Body>
auto Guard(std::string_view what, Body&& body) -> decltype(body()) {
  @autoreleasepool {
    @try {
      return std::forward<Body>(body)();
    } @catch (NSException* exception) {
      return StatusOf(what, exception);
    }
  }
}

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_GUARD_H_
