// The part of XPC's C API that anexd uses, for machines without it: see xpc_connections.mm. Names
// and types as Apple documents them; objects are Objective-C objects, as they are to Objective-C on
// a Mac.
#ifndef ANEX_TESTS_DOUBLES_APPLE_INCLUDE_XPC_XPC_H_
#define ANEX_TESTS_DOUBLES_APPLE_INCLUDE_XPC_XPC_H_

#include <dispatch/dispatch.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

@protocol OS_xpc_object <NSObject>
@end
typedef NSObject<OS_xpc_object>* xpc_object_t;
typedef xpc_object_t xpc_connection_t;
typedef void (^xpc_handler_t)(xpc_object_t object);

typedef const struct _xpc_type_s* xpc_type_t;
extern const struct _xpc_type_s _xpc_type_connection, _xpc_type_data, _xpc_type_dictionary,
    _xpc_type_error, _xpc_type_fd, _xpc_type_string, _xpc_type_uint64;
#define XPC_TYPE_CONNECTION (&_xpc_type_connection)
#define XPC_TYPE_DATA (&_xpc_type_data)
#define XPC_TYPE_DICTIONARY (&_xpc_type_dictionary)
#define XPC_TYPE_ERROR (&_xpc_type_error)
#define XPC_TYPE_FD (&_xpc_type_fd)
#define XPC_TYPE_STRING (&_xpc_type_string)
#define XPC_TYPE_UINT64 (&_xpc_type_uint64)

extern const struct _xpc_dictionary_s _xpc_error_connection_interrupted,
    _xpc_error_connection_invalid, _xpc_error_termination_imminent;
#define XPC_ERROR_CONNECTION_INTERRUPTED ((xpc_object_t)&_xpc_error_connection_interrupted)
#define XPC_ERROR_CONNECTION_INVALID ((xpc_object_t)&_xpc_error_connection_invalid)
#define XPC_ERROR_TERMINATION_IMMINENT ((xpc_object_t)&_xpc_error_termination_imminent)

#define XPC_CONNECTION_MACH_SERVICE_LISTENER (1 << 0)

xpc_object_t xpc_retain(xpc_object_t object);
void xpc_release(xpc_object_t object);
xpc_type_t xpc_get_type(xpc_object_t object);

xpc_object_t xpc_string_create(const char* string);
xpc_object_t xpc_uint64_create(uint64_t value);
xpc_object_t xpc_fd_create(int fd);
int xpc_fd_dup(xpc_object_t xfd);

xpc_object_t xpc_dictionary_create_empty(void);
size_t xpc_dictionary_get_count(xpc_object_t xdict);
xpc_object_t xpc_dictionary_get_value(xpc_object_t xdict, const char* key);
void xpc_dictionary_set_value(xpc_object_t xdict, const char* key, xpc_object_t value);
const void* xpc_dictionary_get_data(xpc_object_t xdict, const char* key, size_t* length);
void xpc_dictionary_set_data(xpc_object_t xdict, const char* key, const void* bytes, size_t length);

xpc_connection_t xpc_connection_create_mach_service(const char* name, dispatch_queue_t targetq,
                                                    uint64_t flags);
void xpc_connection_set_event_handler(xpc_connection_t connection, xpc_handler_t handler);
void xpc_connection_activate(xpc_connection_t connection);
void xpc_connection_suspend(xpc_connection_t connection);
void xpc_connection_resume(xpc_connection_t connection);
void xpc_connection_send_message(xpc_connection_t connection, xpc_object_t message);
void xpc_connection_send_barrier(xpc_connection_t connection, dispatch_block_t barrier);
void xpc_connection_cancel(xpc_connection_t connection);
uid_t xpc_connection_get_euid(xpc_connection_t connection);
gid_t xpc_connection_get_egid(xpc_connection_t connection);
pid_t xpc_connection_get_pid(xpc_connection_t connection);
int xpc_connection_set_peer_code_signing_requirement(xpc_connection_t connection,
                                                     const char* requirement);

#ifdef __cplusplus
}
#endif

#endif  // ANEX_TESTS_DOUBLES_APPLE_INCLUDE_XPC_XPC_H_
