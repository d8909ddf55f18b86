// The part of libdispatch's C API that anexd uses, for machines without it: see xpc_connections.mm.
#ifndef ANEX_TESTS_DOUBLES_APPLE_INCLUDE_DISPATCH_DISPATCH_H_
#define ANEX_TESTS_DOUBLES_APPLE_INCLUDE_DISPATCH_DISPATCH_H_

#import <Foundation/Foundation.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

@protocol OS_dispatch_queue <NSObject>
@end
typedef NSObject<OS_dispatch_queue>* dispatch_queue_t;
typedef void (^dispatch_block_t)(void);
typedef uint64_t dispatch_time_t;

#define DISPATCH_TIME_NOW (0ull)
#define QOS_CLASS_DEFAULT 0x15

dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta_ns);
dispatch_queue_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags);
void dispatch_after(dispatch_time_t when, dispatch_queue_t queue, dispatch_block_t block);

#ifdef __cplusplus
}
#endif

#endif  // ANEX_TESTS_DOUBLES_APPLE_INCLUDE_DISPATCH_DISPATCH_H_
