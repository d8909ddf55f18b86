// anex_demo: two trainers share one device; see demo.h. Exit code 0 = good, 1 = not, 2 = wrong
// flags, 128 + N = ended by signal N.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>

#include "client/examples/train/demo/demo.h"

namespace {

int Run(const anex::train::DemoOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  const anex::train::Interrupt interrupt;
  const absl::Status done = anex::train::RunDemo(options, interrupt);
  if (done.ok()) return 0;
  std::fflush(stdout);
  std::fprintf(stderr, "anex_demo: %s\n", std::string(done.message()).c_str());
  return absl::IsCancelled(done) ? 128 + interrupt.signal() : 1;
}

}  // namespace

int main(int argc, char** argv) {
  anex::train::DemoOptions options;
  std::string default_data = ".";
  CLI::App app(
      "Starts a daemon of its own, trains two small language models on it at once, and shows that\n"
      "each learns exactly what it learns alone.",
      "anex_demo");
  app.add_option("--anexd", options.anexd, "the daemon")->required();
  app.add_option("--anectl", options.anectl, "the control tool")->required();
  app.add_option("--trainer", options.trainer, "the trainer")->required();
  app.add_option("--data", options.data, "a text, or a folder of sources and documents");
  app.add_option("--default-data", default_data, "what --data is if it is not given");
  app.add_option("--json", options.json, "write the result to this file");
  app.add_option("--preset", options.preset, "model size: demo or small")->capture_default_str();
  app.add_option("--submit", options.submit, "unary, stream, chain or ring")->capture_default_str();
  app.add_option("--steps", options.steps, "steps of each trainer")
      ->capture_default_str()
      ->check(CLI::Range(2, 1000000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.data.empty()) options.data = default_data;
  options.terminal = ::isatty(STDOUT_FILENO) == 1;
  return Run(options);
}
