// Apple's quality-of-service numbers (0-63, as in compileWithQoS:) to our scheduling classes: the
// one table. Pure, any thread.
#ifndef ANEX_SERVER_ENGINE_RUN_QOS_CLASS_H_
#define ANEX_SERVER_ENGINE_RUN_QOS_CLASS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/values/execution_values.h"

namespace anex::engine {

inline constexpr size_t kQosClasses = 5;

// The class of an Apple QoS; nullopt above 63. 0 is Apple's real time: here that is by reservation
// only, so it gives the highest class below. Numbers without a name are default, as in the driver.
std::optional<QosClass> QosClassFromApple(uint32_t qos);
// The number of the class on Apple's side.
uint32_t AppleQos(QosClass qos);
std::string_view QosClassName(QosClass qos);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_QOS_CLASS_H_
