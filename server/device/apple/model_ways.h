// The two makers behind MakeModel. Header for model*.mm only.
#ifndef ANEX_SERVER_DEVICE_APPLE_MODEL_WAYS_H_
#define ANEX_SERVER_DEVICE_APPLE_MODEL_WAYS_H_

#include <memory>

#include "absl/status/statusor.h"
#import "server/device/apple/model.h"

namespace anex::device::apple {

absl::StatusOr<std::unique_ptr<Model>> MakeInMemoryModel(std::shared_ptr<const Framework> framework,
                                                         const ModelSource& source,
                                                         WorkFolders& folders);
absl::StatusOr<std::unique_ptr<Model>> MakeClientModel(std::shared_ptr<const Framework> framework,
                                                       const ModelSource& source,
                                                       WorkFolders& folders);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_MODEL_WAYS_H_
