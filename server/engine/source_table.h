// Which lanes have a work source, and which dispatcher asks it. At most one a lane. Taking an entry
// out is for whoever ends it.
//
// Threads: any; one short lock. Sources are called by nobody here.
#ifndef ANEX_SERVER_ENGINE_SOURCE_TABLE_H_
#define ANEX_SERVER_ENGINE_SOURCE_TABLE_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "proto/values/hash_map.h"
#include "proto/wire/handle.h"
#include "server/engine/run/dispatcher.h"
#include "server/engine/run/work_source.h"
#include "server/engine/settling_source.h"

namespace anex::engine {

class SourceTable {
 public:
  struct Entry {
    LaneId lane;
    Dispatcher* dispatcher = nullptr;  // lives as long as the engine
    std::shared_ptr<WorkSource> source;
    std::shared_ptr<SettlingSource> settling;  // what is asked instead, if the lane has no device

    // Attaches it, ends that, or takes what is there, wherever it is asked by now.
    void Attach() const;
    void Detach(bool last_look) const;
    void TakeFrom() const;
  };

  // ALREADY_EXISTS if the lane has one.
  absl::Status Add(SessionId session, Entry entry);
  std::optional<Entry> Find(SessionId session, LaneId lane) const;
  // That of one lane (none or one), that of all lanes of a session.
  std::vector<Entry> Take(SessionId session, LaneId lane);
  std::vector<Entry> TakeAll(SessionId session);

 private:
  mutable absl::Mutex mutex_;
  HashMap<SessionId, std::vector<Entry>> by_session_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_SOURCE_TABLE_H_
