// Types only, as Apple documents them: see ../../CMakeLists.txt.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_EVENT_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_EVENT_H_

#include <stdint.h>
#include <time.h>

struct kevent {
  uintptr_t ident;
  int16_t filter;
  uint16_t flags;
  uint32_t fflags;
  intptr_t data;
  void* udata;
};
#define EV_SET(event, a, b, c, d, e, f) \
  do {                                  \
    struct kevent* set_ = (event);      \
    set_->ident = (a);                  \
    set_->filter = (b);                 \
    set_->flags = (c);                  \
    set_->fflags = (d);                 \
    set_->data = (e);                   \
    set_->udata = (f);                  \
  } while (0)
#define EVFILT_PROC (-5)
#define EVFILT_USER (-10)
#define EV_ADD 0x0001
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define NOTE_EXIT 0x80000000u
#define NOTE_TRIGGER 0x01000000

extern "C" {
int kqueue(void);
int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events,
           int event_count, const struct timespec* timeout);
}

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_DARWIN_SYS_EVENT_H_
