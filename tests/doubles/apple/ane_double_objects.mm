// The fake's small objects: descriptors, surfaces, requests, statistics, the machine.
#import "tests/doubles/apple/ane_double.h"

#include "tests/doubles/apple/faults.h"

using anex::ane_double::Counts;
using anex::ane_double::Faults;

namespace {

// nil where a fault wants it, or an exception.
BOOL MakesNothing(const char* point) {
  const std::string fault = Faults::Instance().Take(point);
  if (fault == "raise") {
    [NSException raise:NSInternalInconsistencyException format:@"the double raised in %s", point];
  }
  return fault == "nil";
}

}  // namespace

@implementation _ANEInMemoryModelDescriptor

+ (id<ANEDescriptor>)modelWithMILText:(NSData*)text
                              weights:(NSDictionary*)weights
                         optionsPlist:(NSData*)plist {
  (void)plist;
  if (text.length == 0 || weights == nil || MakesNothing("descriptor")) return nil;
  _ANEInMemoryModelDescriptor* made = [[self new] autorelease];
  made->text = [text copy];
  made->weights = [weights copy];
  return made;
}

- (void)dealloc {
  [text release];
  [weights release];
  [super dealloc];
}

// As the framework does it: of each weight only the first value of its dictionary counts, so that
// programs with other weights may well have the same name.
- (NSString*)hexStringIdentifier {
  NSUInteger hash = 0;
  NSArray* keys = [weights.allKeys sortedArrayUsingSelector:@selector(compare:)];
  for (NSString* key in keys) {
    hash = hash * 31 + [[[[weights objectForKey:key] allValues] objectAtIndex:0] hash];
  }
  // The hash of NSData looks at its first bytes only; a text's tells texts apart.
  NSString* spelled = [[[NSString alloc] initWithData:text
                                             encoding:NSUTF8StringEncoding] autorelease];
  return [NSString stringWithFormat:@"%lX_%lX_0", (unsigned long)spelled.hash, (unsigned long)hash];
}

@end

@implementation _ANEIOSurfaceObject

+ (id<ANESurfaceObject>)objectWithIOSurface:(IOSurfaceRef)given {
  _ANEIOSurfaceObject* made = [[self new] autorelease];
  made->surface = (IOSurfaceRef)CFRetain(given);
  return made;
}

- (void)dealloc {
  if (surface != nullptr) CFRelease(surface);
  [super dealloc];
}

@end

@implementation _ANERequest

+ (id<ANERequest>)requestWithInputs:(NSArray*)inputs
                       inputIndices:(NSArray*)inputIndices
                            outputs:(NSArray*)outputs
                      outputIndices:(NSArray*)outputIndices
                      weightsBuffer:(id<ANESurfaceObject>)weights
                          perfStats:(NSArray*)stats
                     procedureIndex:(NSNumber*)procedure {
  (void)weights;  // has no effect on the engine either
  if (MakesNothing("request")) return nil;
  _ANERequest* made = [[self new] autorelease];
  made->inputs = [inputs copy];
  made->inputIndices = [inputIndices copy];
  made->outputs = [outputs copy];
  made->outputIndices = [outputIndices copy];
  made->procedure = [procedure copy];
  [made setPerfStats:stats];
  return made;
}

- (id)init {
  if ((self = [super init])) Counts::Instance().Add(&AneDoubleCounts::requests_now);
  return self;
}

- (BOOL)validate {
  return inputs.count == inputIndices.count && outputs.count == outputIndices.count;
}

- (void)setPerfStats:(NSArray*)given {
  // A bare object is what callers get wrong; the framework raises too.
  if (given != nil && ![given isKindOfClass:[NSArray class]]) {
    [NSException raise:NSInvalidArgumentException format:@"perfStats must be an array"];
  }
  [stats autorelease];
  stats = [given copy];
}

- (void)setCompletionHandler:(void (^)(BOOL, NSError*))given {
  void (^old)(BOOL, NSError*) = handler;
  handler = nullptr;
  if (given != nullptr) handler = Block_copy(given);
  if (old != nullptr) Block_release(old);
}

- (void)dealloc {
  [inputs release];
  [inputIndices release];
  [outputs release];
  [outputIndices release];
  [procedure release];
  [stats release];
  if (handler != nullptr) Block_release(handler);
  Counts::Instance().Add(&AneDoubleCounts::requests_now, -1);
  [super dealloc];
}

@end

@implementation _ANEPerformanceStats
+ (id<ANEPerformanceStats>)statsWithHardwareExecutionNS:(uint64_t)given {
  _ANEPerformanceStats* made = [[self new] autorelease];
  made->ns = given;
  return made;
}
- (uint64_t)hwExecutionTime {
  return ns;
}
@end

@implementation _ANEDeviceInfo
+ (BOOL)hasANE {
  return Faults::Instance().Get("ane").empty();
}
+ (BOOL)isVirtualMachine {
  return Faults::Instance().Get("ane") == "virtual";
}
+ (unsigned int)numANEs {
  return 1;
}
+ (unsigned int)numANECores {
  return 16;
}
+ (NSString*)aneArchitectureType {
  return @"h16g";
}
+ (NSString*)aneSubType {
  return @"h16";
}
+ (NSString*)buildVersion {
  return @"double-1";
}
+ (NSString*)productName {
  return @"a double";
}
@end

@implementation _ANEChainingRequest
+ (id)chainingRequestWithInputs:(NSArray*)inputs
                     outputSets:(NSArray*)output_sets
                lbInputSymbolId:(NSArray*)loopback_inputs
               lbOutputSymbolId:(NSArray*)loopback_outputs
                 procedureIndex:(NSNumber*)procedure
                   signalEvents:(NSArray*)signals
              transactionHandle:(NSNumber*)transaction
                 fwEnqueueDelay:(NSNumber*)delay
                   memoryPoolId:(NSNumber*)pool {
  (void)inputs, (void)output_sets, (void)loopback_inputs, (void)loopback_outputs;
  (void)procedure, (void)signals, (void)transaction, (void)delay, (void)pool;
  return [[self new] autorelease];
}
@end

@implementation _ANESharedEvents
+ (id)sharedEventsWithSignalEvents:(NSArray*)signals waitEvents:(NSArray*)waits {
  return signals == nil || waits == nil ? nil : [[self new] autorelease];
}
@end
