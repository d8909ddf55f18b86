// A way in that the device thread itself asks for work: nobody stands between the client and the
// thread that drives the device, so a round trip has one hop each way (a hop to a thread on another
// core costs some 40 us where cores are virtual).
//
// Threads: all methods from one thread at a time: the device thread, or whoever detaches the source
// or asks after its lane; Detached comes last. None of them may wait, take long, or attach or
// detach a source, nor throw. Poll may call Engine::Submit; no lock of the dispatcher's queue is
// held then.
#ifndef ANEX_SERVER_ENGINE_RUN_WORK_SOURCE_H_
#define ANEX_SERVER_ENGINE_RUN_WORK_SOURCE_H_

#include <cstddef>
#include <cstdint>

namespace anex::engine {

class WorkSource {
 public:
  virtual ~WorkSource() = default;

  // What one look took: pieces of work, of which the last may have been refused.
  struct Taken {
    size_t entries = 0;  // 0 = there is nothing, or nothing that may be taken now
    bool refused = false;
  };
  // Takes what is there, at most `most` >= 1, and submits it, up to the first that is refused and
  // with it: making up refusals costs time.
  virtual Taken Poll(size_t most) = 0;
  // A look that ended in a refusal took `ns` of the device's thread, or some if that is 0: whoever
  // put in what was refused shall pay for it.
  virtual void Charge(int64_t /*ns*/) {}
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
