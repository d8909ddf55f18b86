// Runs one function of a compiled program on given inputs, several times, and measures. What
// `anectl run` does, apart from reading options and printing.
//
// Threads: one. Everything made lives in the session and goes at the end.
#ifndef ANEX_CLIENT_CLI_PROGRAM_RUN_H_
#define ANEX_CLIENT_CLI_PROGRAM_RUN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/anex/session.h"
#include "client/cli/fill.h"
#include "client/cli/tensor_summary.h"

namespace anex::cli {

struct RunSpec {
  std::string function;                        // "" = the only one
  std::map<std::string, FillSpec> inputs;      // inputs not named here are random:1
  std::map<std::string, std::string> outputs;  // port -> .npy file to write
  uint32_t repeat = 1;                         // runs after the first
  // Told what takes long before it begins; null = nobody.
  std::function<void(const std::string&)> say = nullptr;
};

struct RunInput {
  PortInfo port;
  FillSpec fill;
};

struct RunOutput {
  PortInfo port;
  TensorSummary summary;
  std::string written;        // the file, or ""
  absl::Status write_status;  // why there is none although one was asked for
};

struct RunTimings {
  int64_t first_ns = 0;         // wall time of the first run, submission to completion
  int64_t first_device_ns = 0;  // of it on the device
  int64_t first_queue_ns = 0;   // of it waiting
  // The same over the repeats; nothing without any.
  std::optional<int64_t> median_ns, min_ns, device_median_ns, queue_median_ns;
  std::string path;  // how the last one travelled: "ring", "unary"
  std::string note;  // why not through a ring, or ""
};

struct RunReport {
  KernelInfo kernel;
  std::string function;
  std::vector<RunInput> inputs;
  std::vector<RunOutput> outputs;
  RunTimings timings;
  uint32_t repeat = 0;
};

// INVALID_ARGUMENT or NOT_FOUND if `spec` names ports that there are not. Files to write are opened
// before anything runs; one that fails while it is written leaves its reason in the report.
absl::StatusOr<RunReport> RunProgram(const Session& session, const ProgramSource& source,
                                     const CompileOptions& options, const RunSpec& spec);

// The middle of `values`, the mean of the two middle ones for an even number; nothing of none.
std::optional<int64_t> Median(std::vector<int64_t> values);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_PROGRAM_RUN_H_
