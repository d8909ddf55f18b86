#import "server/device/apple/guard.h"

#include "absl/strings/str_cat.h"
#include "server/device/apple/ane_errors.h"

namespace anex::device::apple {

std::string ToString(NSString* text) {
  const char* bytes = text.UTF8String;
  return bytes == nullptr ? std::string() : std::string(bytes);
}

NSString* ToNSString(std::string_view text) {
  return [[[NSString alloc] initWithBytes:text.data()
                                   length:text.size()
                                 encoding:NSUTF8StringEncoding] autorelease];
}

absl::Status StatusOf(std::string_view what, NSError* error) {
  if (error == nil) {
    return absl::InternalError(
        absl::StrCat(std::string(what), ": the framework said no without a reason"));
  }
  return ExplainError(what, ToString(error.domain), error.code,
                      ToString(error.localizedDescription));
}

absl::Status StatusOf(std::string_view what, NSException* exception) {
  return absl::InternalError(absl::StrCat(std::string(what), ": the framework raised ",
                                          ToString(exception.name), ": ",
                                          ToString(exception.reason)));
}

}  // namespace anex::device::apple
