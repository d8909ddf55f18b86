// The throughput-ceiling experiment as a picture: for each shape a row for each mode, time per
// kernel on a logarithmic axis. A ring is the same work in process, a dot the daemon, the line
// between them what the daemon costs; the thin line through a dot spans the middle half of passes,
// and the stroke is the part of the time that the kernel was on the device.
//
// Pure functions, any thread. The text is a whole SVG document, for light and dark screens.
#ifndef ANEX_CLIENT_CLI_BENCH_CEILING_CHART_H_
#define ANEX_CLIENT_CLI_BENCH_CEILING_CHART_H_

#include <string>

#include "client/cli/bench/figure.h"

namespace anex::bench {

std::string DrawCeiling(const CeilingReport& report);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_CEILING_CHART_H_
