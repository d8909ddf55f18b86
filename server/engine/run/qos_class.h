// The scheduling classes: Apple's quality-of-service numbers (0-63, as in compileWithQoS:) mapped
// to them, and what each keeps of the device while higher ones have work. The one table:
//
//   Apple's number   its name          its driver priority   class         keeps (default)
//   0                real time         2                     interactive   -    see below
//   33               user interactive  3                     interactive   10 % from real time
//   25               user initiated    4                     interactive   10 %
//   21               default           5                     default       15 %
//   17               utility           5                     utility        5 %
//   9                background        6                     background     2 %
//   any other        -                 5                     default       15 %
//
// Class real time has no number: it is entered by reservation only (reservation.h), so a 0 gives
// the highest class below. Utility stands apart from default here, which the driver does not do.
//
// "Keeps" is a cap on all the others together: a class that always has work gets that part of the
// device's time, whatever waits above it. Limits KEPT_permille set it (limits.h).
//
// Pure, any thread.
#ifndef ANEX_SERVER_ENGINE_RUN_QOS_CLASS_H_
#define ANEX_SERVER_ENGINE_RUN_QOS_CLASS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/values/execution_values.h"

namespace anex::engine {

inline constexpr size_t kQosClasses = 5;

// In thousandths of the device's time, by class; their sum must stay below 1000. Real time keeps
// none: nothing is above it.
struct ClassShares {
  std::array<uint32_t, kQosClasses> kept_permille = {0, 100, 150, 50, 20};
};

// The class of an Apple QoS; nullopt above 63.
std::optional<QosClass> QosClassFromApple(uint32_t qos);
// The number of the class on Apple's side.
uint32_t AppleQos(QosClass qos);
std::string_view QosClassName(QosClass qos);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_QOS_CLASS_H_
