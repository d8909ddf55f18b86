// What was found out about one mode in one place, and what is made of it. Values, any thread.
#ifndef ANEX_CLIENT_CLI_BENCH_FIGURE_H_
#define ANEX_CLIENT_CLI_BENCH_FIGURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/bench/sample_statistics.h"

namespace anex::bench {

enum class Place : uint8_t { kInProcess = 0, kDaemon = 1 };
std::string_view PlaceName(Place place);  // "in-process", "daemon"

// Only measured figures have numbers.
enum class Outcome : uint8_t {
  kMeasured = 0,
  kUnavailable = 1,  // this daemon or build has no such thing; `reason` says why
  kFailed = 2,       // it went wrong while it ran
  kWrong = 3         // it ran, and a result was not what it must be
};
std::string_view OutcomeName(Outcome outcome);  // "measured", "unavailable", "failed", "wrong"

// Several clients at once: what one of them sees, over all clients and passes.
struct ClientFigures {
  int clients = 0;
  double p50_ns = 0, p99_ns = 0, most_ns = 0;
  std::optional<double> p999_ns;  // only of 1,000 samples or more
  // Jain's index of the clients' speeds, mean over passes: 1 = all as fast.
  double jain = 0;
};

struct Figure {
  std::string shape, mode;
  Place place = Place::kDaemon;
  std::string way, note;  // how submissions travelled, and why no better
  Outcome outcome = Outcome::kMeasured;
  std::string reason;
  int runs = 0, copies = 0;  // in a pass

  Rounds pass_ns;
  std::vector<double> device_ns;  // of each pass
  std::optional<ClientFigures> clients;
  // Passes whose every result was compared bit by bit, warm-up included.
  uint64_t verified_passes = 0;
  // A pass with a kernel left out, and one with a kernel run twice, were noticed (by wrong results,
  // or by the engine's own count of runs).
  bool notices_skipped = false, notices_doubled = false;
  std::string over;  // name() of what it is compared with; "" = with nothing

  std::string name() const;  // "64x32/ring-12/daemon"
  int units() const { return runs > 0 ? runs : copies; }
  // Of one kernel, or of one copy where there are only those. nullopt unless measured.
  std::optional<double> unit_ns() const;
  std::optional<double> unit_device_ns() const;
  std::optional<double> units_per_s() const;
};

struct CeilingReport {
  std::string daemon_version, daemon_build, device;
  // The device in its own words, at the daemon and in process: ratios are between equals only if
  // these are the same. "" = not known.
  std::string device_description, in_process_description;
  uint32_t processors = 0;
  int warmup = 0, rounds = 0, passes = 0;  // passes of a round
  std::vector<std::string> shapes;
  std::vector<Figure> figures;

  const Figure* Find(std::string_view name) const;
  // Of a unit, over the same work in process. nullopt if one of the two was not measured.
  std::optional<RatioEstimate> Over(const Figure& figure) const;
  // What a copy of the client costs within a pass: (sequential - run-only) / 11, and may be
  // negative where noise is more than that.
  std::optional<double> CopyOverheadNs(std::string_view shape, Place place) const;
  bool good() const;  // nothing failed, nothing was wrong
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_FIGURE_H_
