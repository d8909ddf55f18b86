// The objects of the double of XPC. For its own .mm files.
#ifndef ANEX_TESTS_DOUBLES_APPLE_XPC_OBJECTS_H_
#define ANEX_TESTS_DOUBLES_APPLE_XPC_OBJECTS_H_

#include <xpc/xpc.h>

#include <map>
#include <string>

// Any object. Counts itself.
@interface XpcObject : NSObject <OS_xpc_object> {
 @public
  xpc_type_t type;
}
@end

@interface XpcData : XpcObject {
 @public
  std::string bytes;
}
@end

// A file descriptor, or the port of a surface, which is one too here.
@interface XpcDescriptor : XpcObject {
 @public
  int fd;
}
@end

@interface XpcDictionary : XpcObject {
 @public
  std::map<std::string, xpc_object_t> values;  // each retained
}
@end

namespace anex::xpc_double {

// What arrives of `object` at the other end: an object of its own. The caller's to release.
xpc_object_t CopyOf(xpc_object_t object);
[[noreturn]] void Misuse(const char* what);

}  // namespace anex::xpc_double

#endif  // ANEX_TESTS_DOUBLES_APPLE_XPC_OBJECTS_H_
