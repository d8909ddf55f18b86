// What of a program has no place on the engine as anexd drives it, so far as that shows without
// compiling: kinds of ports, not operations. Those are for Apple's compiler to refuse, and for the
// rules of `anectl check --device ane` to warn of. Pure; any thread.
#ifndef ANEX_SERVER_DEVICE_APPLE_ANE_LACKING_H_
#define ANEX_SERVER_DEVICE_APPLE_ANE_LACKING_H_

#include <vector>

#include "server/device/device.h"
#include "server/mil/program.h"

namespace anex::device::apple {

std::vector<Lacking> FindLackingPorts(const mil::Program& program);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_ANE_LACKING_H_
