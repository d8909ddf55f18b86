// The figures of bench_dispatch that need no raw ring: each runs its part, prints what it saw, adds
// figures to `report`.
#ifndef ANEX_TESTS_BENCH_DISPATCH_FIGURES_H_
#define ANEX_TESTS_BENCH_DISPATCH_FIGURES_H_

#include <nlohmann/json.hpp>
#include <string>

#include "tests/bench/ring_rig.h"

namespace anex::bench {

// An evaluation in process over calling the device, with nothing between, with the caller and the
// engine's threads pinned to a core each, which may be one.
void MeasureInProcessNull(int client_core, int engine_core, int rounds, nlohmann::json& report);

// A kernel of 100 us and a chain of 120 of them through `ring` and `chain_ring` over the same in
// process.
void MeasureInProcess(RingPeer& ring, RingPeer& chain_ring, int rounds, nlohmann::json& report);

// Who gets how much of the device, whether that is what is accounted, and how long a light client
// waits beside a greedy one.
void MeasureFairness(nlohmann::json& report);

// A null evaluation on a gRPC stream over the same messages answered by a server that does nothing.
// `raw_socket` is where such a one listens.
void MeasureStream(const std::string& anexd, const std::string& raw_socket, int rounds,
                   nlohmann::json& report);
// Starts one in a child, listening at `socket`; ends with this process. Before any thread.
void StartRawStreamServer(const std::string& socket);

// What clients that stop or are killed do to others of a daemon.
void MeasureIsolation(const std::string& anexd, const std::string& client_program, int rounds,
                      nlohmann::json& report);

// Four trainers at once over one, in tokens per second.
void MeasureTrainers(const std::string& anexd, const std::string& trainer, const std::string& data,
                     nlohmann::json& report);

}  // namespace anex::bench

#endif  // ANEX_TESTS_BENCH_DISPATCH_FIGURES_H_
