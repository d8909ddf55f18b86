// The transport suite over an engine in this process.
#include "client/inproc/inproc_transport.h"

#include "tests/conformance/transport_suite.h"

namespace anex::test {
namespace {

absl::StatusOr<std::shared_ptr<Transport>> MakeInproc() {
  static const auto* const engine =
      new absl::StatusOr<std::shared_ptr<engine::Engine>>(StartInprocEngine({.cpu_threads = 2}));
  if (!engine->ok()) return engine->status();
  return MakeInprocTransport(**engine);
}

INSTANTIATE_TEST_SUITE_P(Inproc, TransportSuite,
                         ::testing::Values(TransportMaker{.name = "inproc", .make = MakeInproc}),
                         TransportMakerName);

}  // namespace
}  // namespace anex::test
