// The framework called by a program that does nothing else: one model, one request, evaluate. What
// the ane device is measured against.
//
// Threads: one.
#ifndef ANEX_TESTS_BENCH_APPLE_DIRECT_H_
#define ANEX_TESTS_BENCH_APPLE_DIRECT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/mil/program.h"

namespace anex::bench {

class DirectModel {
 public:
  virtual ~DirectModel() = default;
  // Loads `program`, all of whose ports are fp16, with surfaces of its own behind its ports.
  static absl::StatusOr<std::unique_ptr<DirectModel>> Make(const std::string& framework_path,
                                                           const mil::Program& program);

  // -[_ANEInMemoryModel evaluateWithQoS:options:request:error:] and nothing around it. REQUIRES: an
  // autorelease pool (InPool).
  virtual bool Evaluate() = 0;

  // Calls `body` in an autorelease pool.
  template <typename Body>
  static void InPool(Body body) {
    Call(&body, [](void* called) { (*static_cast<Body*>(called))(); });
  }

 private:
  static void Call(void* body, void (*call)(void*));
};

}  // namespace anex::bench

#endif  // ANEX_TESTS_BENCH_APPLE_DIRECT_H_
