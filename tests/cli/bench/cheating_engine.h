// Places for a benchmark without a daemon: engines in this process, of which the one that stands
// for the daemon has a device with padded rows that can be told to cheat.
#ifndef ANEX_TESTS_CLI_BENCH_CHEATING_ENGINE_H_
#define ANEX_TESTS_CLI_BENCH_CHEATING_ENGINE_H_

#include <gtest/gtest.h>

#include <memory>

#include "client/cli/bench/ceiling.h"
#include "client/inproc/inproc_transport.h"
#include "server/engine/engine.h"
#include "tests/doubles/fake_device.h"
#include "tests/doubles/fault_device.h"

namespace anex::bench {

inline Connect SessionsOf(std::shared_ptr<engine::Engine> engine) {
  return [engine = std::move(engine)]() -> absl::StatusOr<std::shared_ptr<Transport>> {
    return MakeInprocTransport(engine);
  };
}

inline std::shared_ptr<engine::Engine> EngineWith(device::DeviceFactory device) {
  auto devices = device::DeviceList::Make({std::move(device)});
  EXPECT_TRUE(devices.ok()) << devices.status();
  auto engine = engine::Engine::Create({.devices = *std::move(devices), .version = "cheat"});
  EXPECT_TRUE(engine.ok()) << engine.status();
  return std::shared_ptr<engine::Engine>(*std::move(engine));
}

struct CheatingPlaces {
  std::shared_ptr<device::Faults> faults = std::make_shared<device::Faults>();
  Places places;

  // `in_process_device`: what the engine in process calls its device.
  explicit CheatingPlaces(const std::string& in_process_device = "fake") {
    places.daemon =
        SessionsOf(EngineWith(device::FaultDeviceFactory(device::FakeDeviceFactory(), faults)));
    places.in_process =
        SessionsOf(EngineWith(device::FakeDeviceFactory({.name = in_process_device})));
  }
};

}  // namespace anex::bench

#endif  // ANEX_TESTS_CLI_BENCH_CHEATING_ENGINE_H_
