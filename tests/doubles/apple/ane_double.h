// The classes of the fake AppleNeuralEngine. They adopt the protocols that the device is written
// against, so that a selector that is missing or has other types breaks the build; none is complete
// beyond them.
#ifndef ANEX_TESTS_DOUBLES_APPLE_ANE_DOUBLE_H_
#define ANEX_TESTS_DOUBLES_APPLE_ANE_DOUBLE_H_

#import <Foundation/Foundation.h>
#import <IOSurface/IOSurface.h>

#include <memory>

#import "server/device/apple/ane_protocols.h"
#include "tests/doubles/apple/double_program.h"

@interface _ANEInMemoryModelDescriptor : NSObject <ANEDescriptor, ANEDescriptorClass> {
 @public
  NSData* text;
  NSDictionary* weights;
}
@end
@interface _ANEIOSurfaceObject : NSObject <ANESurfaceObject, ANESurfaceObjectClass> {
 @public
  IOSurfaceRef surface;
}
@end

@interface _ANERequest : NSObject <ANERequest, ANERequestClass> {
 @public
  NSArray *inputs, *inputIndices, *outputs, *outputIndices;
  NSArray* stats;
  _ANEIOSurfaceObject* weights;
  id events;
  NSNumber* procedure;
  void (^handler)(BOOL, NSError*);
}
@end

@interface _ANEModel : NSObject <ANEModel, ANEModelClass> {
 @public
  NSString* folder;
  NSDictionary* attributes;
  unsigned int statsMask;
  std::shared_ptr<anex::ane_double::DoubleProgram> program;  // while loaded
}
@end

@interface _ANEProgramForEvaluation : NSObject <ANEProgram>
@end

@interface _ANEClient : NSObject <ANEClient, ANEClientClass>
@end

@interface _ANEInMemoryModel : NSObject <ANEInMemoryModel, ANEInMemoryModelClass> {
 @public
  _ANEInMemoryModelDescriptor* descriptor;
  _ANEModel* model;
  _ANEProgramForEvaluation* program;
  BOOL loaded;
}
@end

@interface _ANEDeviceInfo : NSObject <ANEDeviceInfoClass>
@end

@interface _ANEPerformanceStats : NSObject <ANEPerformanceStats, ANEPerformanceStatsClass> {
 @public
  uint64_t ns;
}
@end

@interface _ANEBuffer : NSObject <ANEChainBufferClass> {
 @public
  _ANEIOSurfaceObject* surface;
}
@end
@interface _ANEIOSurfaceOutputSets : NSObject <ANEOutputSetsClass> {
 @public
  NSArray* buffers;
}
@end
@interface _ANEChainingRequest : NSObject <ANEChainingRequest, ANEChainingRequestClass> {
 @public
  NSArray *inputs, *sets;
}
@end

@interface IOSurfaceSharedEvent : NSObject <IOSurfaceEvent, IOSurfaceEventClass> {
 @public
  uint64_t reached;
}
@end
// A value and the event that reaches it.
@interface _ANESharedSignalEvent : NSObject <ANESignalEventClass> {
 @public
  uint64_t value;
  IOSurfaceSharedEvent* event;
}
@end
@interface _ANESharedWaitEvent : NSObject <ANEWaitEventClass> {
 @public
  uint64_t value;
  IOSurfaceSharedEvent* event;
}
@end
@interface _ANESharedEvents : NSObject <ANESharedEventsClass> {
 @public
  NSArray *signals, *waits;
}
@end

namespace anex::ane_double {

// What the system keeps of compiled programs, by key. Null if there is none.
std::shared_ptr<DoubleProgram> FindCompiled(NSString* key);
void KeepCompiled(NSString* key, std::shared_ptr<DoubleProgram> program);
void DropCompiled(NSString* key);
void RememberFolder(NSString* folder);

// What a loaded model says of itself.
NSDictionary* AttributesOf(const DoubleProgram& program);

// An NSError of the framework's domain, or of the compiler's.
NSError* MakeError(NSInteger code, NSString* text);
NSError* MakeCompilerError(NSString* text);

// The fault at `point`, if there is one now: NO with `error` set, or an exception.
BOOL Fails(const char* point, NSError** error);

// One evaluation with all its faults.
struct Manner {
  unsigned int qos = 0;
  bool real_time = false;
};
BOOL Evaluate(_ANEModel* model, _ANERequest* request, const Manner& manner, NSError** error);
// Takes and gives back one of the places for loaded programs. NO: none is left.
BOOL TakePlace(NSError** error);
void GivePlace();

}  // namespace anex::ane_double

#endif  // ANEX_TESTS_DOUBLES_APPLE_ANE_DOUBLE_H_
