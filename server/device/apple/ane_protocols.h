// The private classes of AppleNeuralEngine.framework that this device talks to, as protocols: the
// compiler checks selectors and argument types, and no class symbol is needed to link. Two for each
// class: what its instances answer, and what the class itself answers.
//
// Where each selector was read, and how sure that is, stands in README.md. Nothing here proves that
// a Mac has them: Framework::Open asks the running system (selector_table.h).
//
// Ownership follows Cocoa's names: nothing here but `new` returns an owned object. Out-parameters
// of type NSError** are autoreleased.
#ifndef ANEX_SERVER_DEVICE_APPLE_ANE_PROTOCOLS_H_
#define ANEX_SERVER_DEVICE_APPLE_ANE_PROTOCOLS_H_

#import <Foundation/Foundation.h>
#import <IOSurface/IOSurface.h>

// --- A program: text and weights -----------------------------------------------------------------

@protocol ANEDescriptor <NSObject>
- (NSString*)hexStringIdentifier;
@end

@protocol ANEDescriptorClass
// nil if `text` or `weights` is nil: no weights are an empty dictionary. `weights` has the path
// that BLOBFILE names as key, {@"offset": @0, @"data": NSData} as value.
+ (id<ANEDescriptor>)modelWithMILText:(NSData*)text
                              weights:(NSDictionary*)weights
                         optionsPlist:(NSData*)plist;
@end

// --- A model at the client (_ANEModel) -----------------------------------------------------------

@protocol ANEModel <NSObject>
- (NSDictionary*)modelAttributes;
- (uint64_t)programHandle;
- (char)queueDepth;
- (void)setPerfStatsMask:(unsigned int)mask;
@end

@protocol ANEModelClass
+ (id<ANEModel>)modelAtURL:(NSURL*)url key:(NSString*)key;
@end

// --- Memory and requests -------------------------------------------------------------------------

@protocol ANESurfaceObject <NSObject>
@end

@protocol ANESurfaceObjectClass
+ (id<ANESurfaceObject>)objectWithIOSurface:(IOSurfaceRef)surface;
@end

@protocol ANERequest <NSObject>
- (BOOL)validate;
- (void)setCompletionHandler:(void (^)(BOOL ok, NSError* error))handler;
- (void)setPerfStats:(NSArray*)stats;
- (void)setSharedEvents:(id)events;
@end

@protocol ANERequestClass
+ (id<ANERequest>)requestWithInputs:(NSArray*)inputs
                       inputIndices:(NSArray*)inputIndices
                            outputs:(NSArray*)outputs
                      outputIndices:(NSArray*)outputIndices
                      weightsBuffer:(id<ANESurfaceObject>)weights
                          perfStats:(NSArray*)stats
                     procedureIndex:(NSNumber*)procedure;
@end

// --- The connection to aned (_ANEClient) ---------------------------------------------------------

@protocol ANEClient <NSObject>
- (BOOL)compileModel:(id<ANEModel>)model
             options:(NSDictionary*)options
                 qos:(unsigned int)qos
               error:(NSError**)error;
- (BOOL)loadModel:(id<ANEModel>)model
          options:(NSDictionary*)options
              qos:(unsigned int)qos
            error:(NSError**)error;
- (BOOL)unloadModel:(id<ANEModel>)model
            options:(NSDictionary*)options
                qos:(unsigned int)qos
              error:(NSError**)error;
- (BOOL)evaluateWithModel:(id<ANEModel>)model
                  options:(NSDictionary*)options
                  request:(id<ANERequest>)request
                      qos:(unsigned int)qos
                    error:(NSError**)error;
- (BOOL)doEvaluateDirectWithModel:(id<ANEModel>)model
                          options:(NSDictionary*)options
                          request:(id<ANERequest>)request
                              qos:(unsigned int)qos
                            error:(NSError**)error;
- (BOOL)evaluateRealTimeWithModel:(id<ANEModel>)model
                          options:(NSDictionary*)options
                          request:(id<ANERequest>)request
                            error:(NSError**)error;
- (BOOL)mapIOSurfacesWithModel:(id<ANEModel>)model
                       request:(id<ANERequest>)request
                cacheInference:(BOOL)cache
                         error:(NSError**)error;
- (void)unmapIOSurfacesWithModel:(id<ANEModel>)model request:(id<ANERequest>)request;
- (BOOL)compiledModelExistsFor:(id<ANEModel>)model;
- (void)purgeCompiledModel:(id<ANEModel>)model;
- (BOOL)loadRealTimeModel:(id<ANEModel>)model
                  options:(NSDictionary*)options
                      qos:(unsigned int)qos
                    error:(NSError**)error;
- (BOOL)unloadRealTimeModel:(id<ANEModel>)model
                    options:(NSDictionary*)options
                        qos:(unsigned int)qos
                      error:(NSError**)error;
- (BOOL)beginRealTimeTask;
- (BOOL)endRealTimeTask;
- (BOOL)prepareChainingWithModel:(id<ANEModel>)model
                         options:(NSDictionary*)options
                     chainingReq:(id)chaining
                             qos:(unsigned int)qos
                           error:(NSError**)error;
@end

@protocol ANEClientClass
+ (id<ANEClient>)sharedConnection;
@end

// --- A model that needs no file of its own (_ANEInMemoryModel) -----------------------------------

@protocol ANEProgram <NSObject>
- (BOOL)processRequest:(id<ANERequest>)request
                 model:(id<ANEModel>)model
                   qos:(unsigned int)qos
                qIndex:(uint64_t)queue
         modelStringID:(uint64_t)model_string
               options:(NSDictionary*)options
           returnValue:(unsigned int*)returned
                 error:(NSError**)error;
@end

@protocol ANEInMemoryModel <NSObject>
- (NSString*)hexStringIdentifier;
- (NSString*)localModelPath;
- (void)setModelURL:(NSURL*)url;
- (BOOL)compiledModelExists;
- (void)purgeCompiledModel;
- (BOOL)compileWithQoS:(unsigned int)qos options:(NSDictionary*)options error:(NSError**)error;
- (BOOL)loadWithQoS:(unsigned int)qos options:(NSDictionary*)options error:(NSError**)error;
- (BOOL)unloadWithQoS:(unsigned int)qos error:(NSError**)error;
- (BOOL)evaluateWithQoS:(unsigned int)qos
                options:(NSDictionary*)options
                request:(id<ANERequest>)request
                  error:(NSError**)error;
- (BOOL)mapIOSurfacesWithRequest:(id<ANERequest>)request
                  cacheInference:(BOOL)cache
                           error:(NSError**)error;
- (void)unmapIOSurfacesWithRequest:(id<ANERequest>)request;
- (id<ANEModel>)model;      // what the client knows it by, once loaded
- (id<ANEProgram>)program;  // once loaded
- (id<ANEClient>)sharedConnection;
- (NSDictionary*)modelAttributes;  // empty until loaded
- (void)setPerfStatsMask:(unsigned int)mask;
@end

@protocol ANEInMemoryModelClass
+ (id<ANEInMemoryModel>)inMemoryModelWithDescriptor:(id<ANEDescriptor>)descriptor;
@end

// --- The machine, and what is only probed --------------------------------------------------------

@protocol ANEDeviceInfoClass
+ (BOOL)hasANE;
+ (BOOL)isVirtualMachine;
+ (unsigned int)numANEs;
+ (unsigned int)numANECores;
+ (NSString*)aneArchitectureType;  // "h16g"
+ (NSString*)aneSubType;
+ (NSString*)buildVersion;  // of the system: "25A354"
+ (NSString*)productName;
@end

@protocol ANEPerformanceStats <NSObject>
- (uint64_t)hwExecutionTime;  // ns
@end

@protocol ANEPerformanceStatsClass
+ (id<ANEPerformanceStats>)statsWithHardwareExecutionNS:(uint64_t)ns;
@end

@protocol ANEChainingRequest <NSObject>
- (BOOL)validate;
@end

@protocol ANEChainingRequestClass
// `inputs` are ANEChainBuffers, `output_sets` what ANEOutputSetsClass makes; none may be nil.
+ (id<ANEChainingRequest>)chainingRequestWithInputs:(NSArray*)inputs
                                         outputSets:(NSArray*)output_sets
                                    lbInputSymbolId:(NSArray*)loopback_inputs
                                   lbOutputSymbolId:(NSArray*)loopback_outputs
                                     procedureIndex:(NSNumber*)procedure
                                       signalEvents:(NSArray*)signals
                                  transactionHandle:(NSNumber*)transaction
                                     fwEnqueueDelay:(NSNumber*)delay
                                       memoryPoolId:(NSNumber*)pool;
@end

@protocol ANEChainBufferClass
// `source`: 0 = an input, 1 = an output.
+ (id)bufferWithIOSurfaceObject:(id<ANESurfaceObject>)surface
                    symbolIndex:(NSNumber*)symbol
                         source:(int64_t)source;
@end

@protocol ANEOutputSetsClass
// nil without a surface for statistics.
+ (id)objectWithstatsSurRef:(IOSurfaceRef)stats outputBuffer:(NSArray*)buffers;
@end

// IOSurfaceSharedEvent, of the IOSurface framework: a counter that devices signal and wait for.
@protocol IOSurfaceEvent <NSObject>
- (uint64_t)signaledValue;
- (void)setSignaledValue:(uint64_t)value;
@end

@protocol IOSurfaceEventClass
+ (id<IOSurfaceEvent>)new;  // the caller's to release
@end

@protocol ANESignalEventClass
+ (id)signalEventWithValue:(uint64_t)value
               symbolIndex:(unsigned int)symbol
                 eventType:(int64_t)type
               sharedEvent:(id<IOSurfaceEvent>)event;
@end

@protocol ANEWaitEventClass
+ (id)waitEventWithValue:(uint64_t)value sharedEvent:(id<IOSurfaceEvent>)event;
@end

@protocol ANESharedEventsClass
+ (id)sharedEventsWithSignalEvents:(NSArray*)signals waitEvents:(NSArray*)waits;
@end

#endif  // ANEX_SERVER_DEVICE_APPLE_ANE_PROTOCOLS_H_
