// Runs a fuzzer's entry without a fuzzing engine: its seeds, then some thousand mutations of them,
// the same ones every time. With an engine, link the same <format>_fuzzer.cc with
// -fsanitize=fuzzer.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::vector<std::string> Seeds() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(ANEX_FUZZ_CORPUS)) {
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  std::vector<std::string> seeds;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

// One change of the kinds that find most: flipped and replaced bytes, runs cut out, doubled or
// taken from another seed, numbers made extreme.
class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& seeds) : seeds_(seeds) {}

  std::string Next() {
    std::string text = seeds_[Below(seeds_.size())];
    for (size_t i = 0, n = 1 + Below(4); i < n && !text.empty(); ++i) Change(text);
    return text;
  }

 private:
  size_t Below(size_t bound) { return random_() % bound; }

  void Change(std::string& text) {
    static const char* const kExtreme[] = {"0",
                                           "-1",
                                           "18446744073709551615",
                                           "9223372036854775807",
                                           "-9223372036854775808",
                                           "?",
                                           "1073741824",
                                           "1e999"};
    const size_t at = Below(text.size());
    const size_t length = std::min(Below(40), text.size() - at);
    switch (Below(6)) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << Below(8)));
        break;
      case 1:
        text[at] = static_cast<char>(random_());
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(at, text.substr(at, length));
        break;
      case 4: {
        const std::string& other = seeds_[Below(seeds_.size())];
        if (!other.empty()) text.insert(at, other.substr(Below(other.size()), length));
        break;
      }
      default: {
        size_t digit = text.find_first_of("0123456789", at);
        if (digit == text.npos) break;
        const size_t end = text.find_first_not_of("0123456789", digit);
        text.replace(digit, std::min(end, text.size()) - digit,
                     kExtreme[Below(std::size(kExtreme))]);
      }
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937_64 random_{20240607};
};

void Feed(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

TEST(Fuzz, SeedsAndTheirMutationsAreSurvived) {
  const std::vector<std::string> seeds = Seeds();
  ASSERT_FALSE(seeds.empty());
  for (const std::string& seed : seeds) Feed(seed);
  Mutator mutator(seeds);
  for (int i = 0; i < ANEX_FUZZ_ROUNDS; ++i) Feed(mutator.Next());
}

}  // namespace
