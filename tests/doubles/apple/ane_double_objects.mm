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
                      weightsBuffer:(id<ANESurfaceObject>)buffer
                          perfStats:(NSArray*)stats
                     procedureIndex:(NSNumber*)procedure {
  if (MakesNothing("request")) return nil;
  _ANERequest* made = [[self new] autorelease];
  made->inputs = [inputs copy];
  made->inputIndices = [inputIndices copy];
  made->outputs = [outputs copy];
  made->outputIndices = [outputIndices copy];
  made->procedure = [procedure copy];
  made->weights = [(_ANEIOSurfaceObject*)buffer retain];
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

- (void)setSharedEvents:(id)given {
  [events autorelease];
  events = [given retain];
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
  [weights release];
  [events release];
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

@implementation _ANEBuffer
+ (id)bufferWithIOSurfaceObject:(id<ANESurfaceObject>)given
                    symbolIndex:(NSNumber*)symbol
                         source:(int64_t)source {
  if (given == nil || symbol == nil || source < 0) return nil;
  _ANEBuffer* made = [[self new] autorelease];
  made->surface = [(_ANEIOSurfaceObject*)given retain];
  return made;
}
- (void)dealloc {
  [surface release];
  [super dealloc];
}
@end

@implementation _ANEIOSurfaceOutputSets
+ (id)objectWithstatsSurRef:(IOSurfaceRef)stats outputBuffer:(NSArray*)given {
  if (stats == nullptr || given == nil) return nil;
  _ANEIOSurfaceOutputSets* made = [[self new] autorelease];
  made->buffers = [given copy];
  return made;
}
- (void)dealloc {
  [buffers release];
  [super dealloc];
}
@end

@implementation _ANEChainingRequest
+ (id<ANEChainingRequest>)chainingRequestWithInputs:(NSArray*)inputs
                                         outputSets:(NSArray*)output_sets
                                    lbInputSymbolId:(NSArray*)loopback_inputs
                                   lbOutputSymbolId:(NSArray*)loopback_outputs
                                     procedureIndex:(NSNumber*)procedure
                                       signalEvents:(NSArray*)signals
                                  transactionHandle:(NSNumber*)transaction
                                     fwEnqueueDelay:(NSNumber*)delay
                                       memoryPoolId:(NSNumber*)pool {
  (void)loopback_inputs, (void)loopback_outputs, (void)procedure, (void)transaction;
  (void)delay, (void)pool;
  // nil there is a crash of the framework's.
  if (signals == nil) [NSException raise:NSInvalidArgumentException format:@"no signal events"];
  if (Faults::Instance().Get("chain") == "nil") return nil;
  _ANEChainingRequest* made = [[self new] autorelease];
  made->inputs = [inputs copy];
  made->sets = [output_sets copy];
  return made;
}
// Of what they are made is looked at here, as the framework does.
- (BOOL)validate {
  if (inputs.count == 0 || sets.count == 0 || Faults::Instance().Get("chain") == "invalid") {
    return NO;
  }
  for (id input in inputs) {
    if (![input isKindOfClass:[_ANEBuffer class]]) return NO;
  }
  for (id set in sets) {
    if (![set isKindOfClass:[_ANEIOSurfaceOutputSets class]]) return NO;
  }
  return YES;
}
- (void)dealloc {
  [inputs release];
  [sets release];
  [super dealloc];
}
@end

@implementation IOSurfaceSharedEvent
+ (id<IOSurfaceEvent>)new {
  return [[self alloc] init];
}
- (uint64_t)signaledValue {
  return reached;
}
- (void)setSignaledValue:(uint64_t)given {
  reached = given;
}
@end

@implementation _ANESharedSignalEvent
+ (id)signalEventWithValue:(uint64_t)given
               symbolIndex:(unsigned int)symbol
                 eventType:(int64_t)type
               sharedEvent:(id<IOSurfaceEvent>)event {
  (void)symbol, (void)type;
  if (event == nil) return nil;
  _ANESharedSignalEvent* made = [[[self alloc] init] autorelease];
  made->value = given;
  made->event = [(IOSurfaceSharedEvent*)event retain];
  return made;
}
- (void)dealloc {
  [event release];
  [super dealloc];
}
@end

@implementation _ANESharedWaitEvent
+ (id)waitEventWithValue:(uint64_t)given sharedEvent:(id<IOSurfaceEvent>)event {
  if (event == nil) return nil;
  _ANESharedWaitEvent* made = [[[self alloc] init] autorelease];
  made->value = given;
  made->event = [(IOSurfaceSharedEvent*)event retain];
  return made;
}
- (void)dealloc {
  [event release];
  [super dealloc];
}
@end

@implementation _ANESharedEvents
+ (id)sharedEventsWithSignalEvents:(NSArray*)signals waitEvents:(NSArray*)waits {
  if (signals == nil || waits == nil) return nil;
  _ANESharedEvents* made = [[self new] autorelease];
  made->signals = [signals copy];
  made->waits = [waits copy];
  return made;
}
- (void)dealloc {
  [signals release];
  [waits release];
  [super dealloc];
}
@end
