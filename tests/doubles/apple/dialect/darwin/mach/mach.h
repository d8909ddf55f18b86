// Types only, as Apple documents them: see ../../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_MACH_MACH_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_MACH_MACH_H_

#include <stdint.h>

typedef int kern_return_t;
typedef unsigned int mach_port_t, mach_msg_type_number_t, natural_t;
typedef int integer_t;
typedef integer_t* task_info_t;
typedef struct {
  uint64_t virtual_size, resident_size, resident_size_max;
} mach_task_basic_info;
enum { KERN_SUCCESS = 0, MACH_TASK_BASIC_INFO = 20 };
#define MACH_TASK_BASIC_INFO_COUNT \
  ((mach_msg_type_number_t)(sizeof(mach_task_basic_info) / sizeof(natural_t)))
#define MACH_PORT_NULL ((mach_port_t)0)

extern "C" {
mach_port_t mach_task_self(void);
kern_return_t mach_port_deallocate(mach_port_t task, mach_port_t name);
kern_return_t task_info(mach_port_t task, unsigned int flavor, task_info_t info,
                        mach_msg_type_number_t* count);
}

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_MACH_MACH_H_
