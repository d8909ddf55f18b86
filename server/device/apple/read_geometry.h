// A loaded model's attributes, as the framework gives them, to a ModelGeometry.
//
//   ANEFModelDescription
//     kANEFModelProcedureNameToIDMapKey   {name: number}
//     kANEFModelInputSymbolsArrayKey      [name, ...]     kANEFModelOutputSymbolsArrayKey  the same
//     ANEFModelProcedures                 [{ANEFModelProcedureID, ANEFModelInputSymbolIndexArray,
//                                           ANEFModelOutputSymbolIndexArray}, ...]
//   NetworkStatusList                     [{Name, LiveInputList, LiveOutputList}, ...]
//     of which each                       {Name, Symbol, Type, Batches, Channels, Depth, Height,
//                                          Width, BatchStride, PlaneStride, DepthStride, RowStride}
//
// Everything in it is looked at before it is used: the dictionaries come from files that Apple's
// compiler wrote. Where the description is missing, tensors are numbered as they are listed.
#ifndef ANEX_SERVER_DEVICE_APPLE_READ_GEOMETRY_H_
#define ANEX_SERVER_DEVICE_APPLE_READ_GEOMETRY_H_

#import <Foundation/Foundation.h>

#include "absl/status/statusor.h"
#include "server/device/apple/model_geometry.h"

namespace anex::device::apple {

// FAILED_PRECONDITION naming the key that is missing or of another kind.
absl::StatusOr<ModelGeometry> ReadGeometry(NSDictionary* attributes);

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_READ_GEOMETRY_H_
