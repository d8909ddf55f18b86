#include "server/device/apple/ane_source.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "proto/values/sha256.h"
#include "server/mil/printer.h"

namespace anex::device::apple {
namespace {

// Of generations: h13 is the M1's, h14 the M2's, h15 the M3's.
constexpr int kFirstCompactGeneration = 15;
constexpr size_t kDigestBytes = 32;

// The number in "h16g"; 0 if there is none.
int Generation(std::string_view architecture) {
  const size_t digit = architecture.find_first_of("0123456789");
  int generation = 0;
  if (digit == architecture.npos) return generation;
  std::from_chars(architecture.data() + digit, architecture.data() + architecture.size(),
                  generation);
  return generation;
}

// What Apple's reader of MIL wants to see, whoever wrote the text.
std::map<std::string, std::string> BuildInfo() {
  return {{"coremlc-component-MIL", "3510.2.1"},
          {"coremlc-version", "3505.4.1"},
          {"coremltools-version", "9.0"}};
}

std::string DigestOf(const ProgramSource& source) {
  Sha256 hash;
  hash.UpdateFramed(source.text);
  for (const auto& [path, bytes] : source.weights) {
    hash.UpdateFramed(path);
    hash.UpdateFramed(*bytes);
  }
  return hash.FinishHex();
}

}  // namespace

AneSource MakeAneSource(const mil::Program& program, std::string_view architecture) {
  mil::PrintOptions options;
  options.spell_out = true;
  options.build_info = BuildInfo();
  const int generation = Generation(architecture);
  if (generation != 0 && generation < kFirstCompactGeneration) {
    options.dialect = mil::Dialect::kVerbose;
    options.file_per_weight = true;
  }
  const std::string blank(2 * kDigestBytes, '0');  // its place, until it is known
  options.build_info["anexd-content"] = blank;
  ProgramSource source = mil::Print(program, options);
  AneSource made{.digest = DigestOf(source)};
  source.text.replace(source.text.find(blank), blank.size(), made.digest);
  made.source = std::make_shared<const ProgramSource>(std::move(source));
  return made;
}

}  // namespace anex::device::apple
