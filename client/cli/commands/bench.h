// What the commands below `anectl bench` share.
#ifndef ANEX_CLIENT_CLI_COMMANDS_BENCH_H_
#define ANEX_CLIENT_CLI_COMMANDS_BENCH_H_

#include <optional>
#include <string>

#include "client/cli/bench/ceiling.h"
#include "client/cli/command.h"
#include "client/cli/output_file.h"

namespace anex::cli {

// The daemon that the context names, and one engine in this process, started when it is first
// wanted. REQUIRES: `context` outlives it.
bench::Places PlacesOf(const Context& context);

// A line on standard error for people who wait; null if nobody watches.
std::function<void(const std::string&)> ProgressOn(Context& context);

// A file for a result, opened before the work. Not asked for, or "-" = none.
absl::StatusOr<std::optional<OutputFile>> OpenResult(const std::optional<std::string>& path);
// Prints JSON if asked for on standard output, else `text`; and writes the file.
absl::Status DeliverResult(const Context& context, const Json& json, const std::string& text,
                           const std::optional<std::string>& json_path,
                           std::optional<OutputFile>& json_file);

void AddBenchCeiling(CLI::App& bench, Chosen& chosen);
void AddBenchSubmit(CLI::App& bench, Chosen& chosen);
void AddBenchCompare(CLI::App& bench, Chosen& chosen);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_COMMANDS_BENCH_H_
