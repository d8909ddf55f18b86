// A way in that the device thread itself asks for work: nobody stands between the client and the
// thread that drives the device, so a round trip has one hop each way (a hop to a thread on another
// core costs some 40 us where cores are virtual).
//
// Threads: all methods from one thread at a time: the device thread, or whoever detaches the source
// or asks after its lane; Detached comes last. None of them may wait, take long, or attach or
// detach a source. Poll may call Engine::Submit; no lock of the dispatcher's queue is held then.
#ifndef ANEX_SERVER_ENGINE_RUN_WORK_SOURCE_H_
#define ANEX_SERVER_ENGINE_RUN_WORK_SOURCE_H_

#include <cstddef>

namespace anex::engine {

class WorkSource {
 public:
  virtual ~WorkSource() = default;

  // Takes what is there, a bounded number at a time, and submits it. How many were taken: 0 = there
  // is nothing, or nothing that may be taken now.
  virtual size_t Poll() = 0;
  // Whether Poll may find something: a load or two.
  virtual bool HasWork() const = 0;

  // From now on new work makes the descriptor readable. False: there is work already.
  virtual bool PrepareToSleep() = 0;
  // It need not any more. `rang`: the descriptor was readable, and is to be quiet again.
  virtual void Awake(bool rang) = 0;
  // Nothing will come out of it any more: it is not asked again.
  virtual bool finished() const { return false; }
  // It was detached, and what was cancelled with it has been handed back; told once, by whoever
  // detached it.
  virtual void Detached() {}
  // Stays the same and open as long as the source lives.
  virtual int poll_descriptor() const = 0;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_WORK_SOURCE_H_
