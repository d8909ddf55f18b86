#include "server/engine_log.h"

namespace anex::server {

void EngineLog::OnSessionOpened(SessionId session, const engine::Identity& who,
                                std::string_view client_name_untrusted) {
  log_.Debug("session opened", {{"session", session.value()},
                                {"client", client_name_untrusted},
                                {"uid", who.uid},
                                {"pid", who.pid}});
}

void EngineLog::OnSessionEnded(SessionId session, std::string_view reason) {
  log_.Debug("session ended", {{"session", session.value()}, {"reason", reason}});
}

void EngineLog::OnCacheTrouble(std::string_view sentence) {
  if (const auto left_out = cache_trouble_.Admit()) {
    log_.Warning("compile cache", {{"reason", sentence}, {"left_out", *left_out}});
  }
}

void EngineLog::OnLimitsSet(const engine::Identity& who,
                            const std::map<std::string, uint64_t>& values) {
  for (const auto& [name, value] : values) {
    log_.Info("limit set", {{"limit", name}, {"value", value}, {"uid", who.uid}, {"pid", who.pid}});
  }
}

void EngineLog::OnDeviceHang(std::string_view sentence) {
  log_.Error("device hung", {{"reason", sentence}});
}

void EngineLog::OnRingBroken(SessionId session, std::string_view sentence) {
  if (const auto left_out = broken_rings_.Admit()) {
    log_.Warning("ring broken by its client",
                 {{"session", session.value()}, {"reason", sentence}, {"left_out", *left_out}});
  }
}

}  // namespace anex::server
