// Any bytes as a MIL program. What must hold of one that is right and small: the cpu device
// compiles and runs it in both of its modes, and they agree (two_modes.h).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/fuzz/program_mutator.h"
#include "tests/fuzz/two_modes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string difference = anex::device::cpu::CompareModes(text).difference;
  if (difference.empty()) return 0;
  std::fprintf(stderr, "%s\n%s\n", difference.c_str(), text.c_str());
  std::abort();
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string mutated = anex::mil::Mutated(text, seed);
  if (mutated.size() > max_size) return size;
  std::memcpy(data, mutated.data(), mutated.size());
  return mutated.size();
}
