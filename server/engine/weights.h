// Who gets how large a share of the device's time, as whoever runs the engine wants it. Value, any
// thread.
#ifndef ANEX_SERVER_ENGINE_WEIGHTS_H_
#define ANEX_SERVER_ENGINE_WEIGHTS_H_

#include <cstdint>
#include <map>
#include <string>

namespace anex::engine {

inline constexpr uint32_t kMostWeight = 1000;  // the least is 1

struct Weights {
  std::map<uint32_t, uint32_t> users;  // by uid; 1 for those who are not named
  // By client name; what the client asked for, up to Limits::asked_weight, if not named.
  std::map<std::string, uint32_t> sessions;
  bool operator==(const Weights&) const = default;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_WEIGHTS_H_
