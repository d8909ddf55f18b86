// The engine's events as lines of the daemon's log: who came and went, a cache in trouble, a device
// that hung. What a client can cause at will is rate limited, and never more than the log's level
// lets through. Threads: any.
#ifndef ANEX_SERVER_ENGINE_LOG_H_
#define ANEX_SERVER_ENGINE_LOG_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "server/engine/events.h"
#include "server/log.h"

namespace anex::server {

class EngineLog : public engine::Events {
 public:
  // `log` must outlive it.
  explicit EngineLog(const Log& log) : log_(log) {}

  void OnSessionOpened(SessionId session, const engine::Identity& who,
                       std::string_view client_name_untrusted) override;
  void OnSessionEnded(SessionId session, std::string_view reason) override;
  void OnCacheTrouble(std::string_view sentence) override;
  void OnLimitsSet(const engine::Identity& who,
                   const std::map<std::string, uint64_t>& values) override;
  void OnDeviceHang(std::string_view sentence) override;
  // A client's ring made no sense and was closed.
  void OnRingBroken(SessionId session, std::string_view sentence);

 private:
  const Log& log_;
  RateLimiter cache_trouble_{8, std::chrono::seconds(10)};
  RateLimiter broken_rings_{8, std::chrono::seconds(10)};
};

}  // namespace anex::server

#endif  // ANEX_SERVER_ENGINE_LOG_H_
