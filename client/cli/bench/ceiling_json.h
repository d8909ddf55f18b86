// The report of the throughput-ceiling experiment as JSON: the schema that client/cli/README.md
// documents. Additions only. Pure functions, any thread.
#ifndef ANEX_CLIENT_CLI_BENCH_CEILING_JSON_H_
#define ANEX_CLIENT_CLI_BENCH_CEILING_JSON_H_

#include "client/cli/bench/figure.h"
#include "nlohmann/json.hpp"

namespace anex::bench {

// With all samples, round by round, as compare wants them.
nlohmann::ordered_json ToJson(const CeilingReport& report);

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_CEILING_JSON_H_
