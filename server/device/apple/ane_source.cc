#include "server/device/apple/ane_source.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/escaping.h"
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

class Sha256 {
 public:
  Sha256() { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  ~Sha256() { EVP_MD_CTX_free(context_); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  // With its length before it: "ab" + "c" is not "a" + "bc".
  void Add(std::string_view bytes) {
    const uint64_t size = bytes.size();
    EVP_DigestUpdate(context_, &size, sizeof size);
    EVP_DigestUpdate(context_, bytes.data(), bytes.size());
  }
  std::string Hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_, digest, &size);
    return absl::BytesToHexString({reinterpret_cast<const char*>(digest), size});
  }

 private:
  EVP_MD_CTX* const context_ = EVP_MD_CTX_new();
};

std::string DigestOf(const ProgramSource& source) {
  Sha256 hash;
  hash.Add(source.text);
  for (const auto& [path, bytes] : source.weights) {
    hash.Add(path);
    hash.Add(*bytes);
  }
  return hash.Hex();
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
