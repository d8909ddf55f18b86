// The two makers behind MakeModel. Header for model*.mm and probes only.
#ifndef ANEX_SERVER_DEVICE_APPLE_MODEL_WAYS_H_
#define ANEX_SERVER_DEVICE_APPLE_MODEL_WAYS_H_

#include <memory>

#include "absl/status/statusor.h"
#import "server/device/apple/model.h"

namespace anex::device::apple {

// The framework's own object for a program. REQUIRES: an autorelease pool.
absl::StatusOr<ObjcPtr<id<ANEInMemoryModel>>> NewInMemoryModel(const Framework& framework,
                                                               const ProgramSource& source);

absl::StatusOr<std::unique_ptr<Model>> MakeInMemoryModel(std::shared_ptr<const Framework> framework,
                                                         const ModelSource& source,
                                                         WorkFolders& folders);
absl::StatusOr<std::unique_ptr<Model>> MakeClientModel(std::shared_ptr<const Framework> framework,
                                                       const ModelSource& source,
                                                       WorkFolders& folders);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_MODEL_WAYS_H_
