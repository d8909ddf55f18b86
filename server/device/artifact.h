// A compiled program as a device can load it again, here or from the disk cache. Value, any thread.
#ifndef ANEX_SERVER_DEVICE_ARTIFACT_H_
#define ANEX_SERVER_DEVICE_ARTIFACT_H_

#include <map>
#include <memory>
#include <string>

#include "server/mil/program.h"

namespace anex::device {

// Device-specific switches from CompileOptions::options; each device documents its keys.
using DeviceOptions = std::map<std::string, std::string>;

struct Artifact {
  // The checked program that was compiled. From the cache it has been parsed and checked again from
  // the stored text and weights, whose digests were verified.
  std::shared_ptr<const mil::Program> program;
  DeviceOptions options;
  // What the compiler produced, by file name ("net.plist"); empty for devices that lower on Load.
  std::map<std::string, std::shared_ptr<const std::string>> files;
};

}  // namespace anex::device

#endif  // ANEX_SERVER_DEVICE_ARTIFACT_H_
