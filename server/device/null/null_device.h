// A device that can do nothing: the skeleton to clone for a new one. Every call answers
// UNIMPLEMENTED; the comments in null_device.cc are what to think about in its place.
#ifndef ANEX_SERVER_DEVICE_NULL_NULL_DEVICE_H_
#define ANEX_SERVER_DEVICE_NULL_NULL_DEVICE_H_

#include <memory>

#include "server/device/device.h"

namespace anex::device::null {

std::unique_ptr<Device> MakeNullDevice();
// Named "null".
DeviceFactory NullDeviceFactory();

}  // namespace anex::device::null

#endif  // ANEX_SERVER_DEVICE_NULL_NULL_DEVICE_H_
