// What `anectl bench` found, as screens. Pure functions, any thread.
//
// `columns` is the terminal's width: 80 show what matters, 120 the rest.
#ifndef ANEX_CLIENT_CLI_OUTPUT_BENCH_VIEW_H_
#define ANEX_CLIENT_CLI_OUTPUT_BENCH_VIEW_H_

#include <string>

#include "client/cli/bench/comparison.h"
#include "client/cli/bench/figure.h"
#include "client/cli/bench/submit_bench.h"
#include "client/cli/output/style.h"

namespace anex::cli {

std::string RenderCeiling(const bench::CeilingReport& report, int columns, const Style& style);
std::string RenderSubmit(const bench::SubmitReport& report, int columns, const Style& style);
std::string RenderComparison(const bench::Comparison& comparison, const Style& style);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_BENCH_VIEW_H_
