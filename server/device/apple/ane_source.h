// A checked program in the words of Apple's compiler: spelled out as coremltools writes it, in the
// dialect that the chip reads, with its content's hash inside.
//
// The hash is there because the framework names a program by the hash of its text, of a part of its
// weights and of its options: two programs that differ in weights alone could get one name, and one
// would run with the other's compiled copy. With the hash of everything in buildInfo, another
// weight is another text.
//
// Pure; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_ANE_SOURCE_H_
#define ANEX_SERVER_DEVICE_APPLE_ANE_SOURCE_H_

#include <memory>
#include <string>
#include <string_view>

#include "proto/values/kernel_values.h"
#include "server/mil/program.h"

namespace anex::device::apple {

struct AneSource {
  std::string digest;  // hex SHA-256 of text (its own place blank) and weights
  std::shared_ptr<const ProgramSource> source;
};

// `architecture` as the framework says it ("h13g" is an M1, "h16g" an M4); "" if it does not: M1
// and M2 read the verbose dialect and one weight in a file, later ones the compact one.
AneSource MakeAneSource(const mil::Program& program, std::string_view architecture);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_ANE_SOURCE_H_
