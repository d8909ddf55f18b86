// Random numbers that are the same on every machine and library: SplitMix64 (Steele, Lea, Flood,
// "Fast splittable pseudorandom number generators", 2014). The standard library's distributions
// differ between implementations, so none is used. One owner at a time.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_RANDOM_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_RANDOM_H_

#include <cstdint>

namespace anex::train {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1): 53 bits, exact.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  // Uniform in [0, bound). The bias of the modulus is below 2^-40 for any bound used here.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  // Uniform in [-limit, limit).
  float Symmetric(float limit) { return static_cast<float>((2.0 * Unit() - 1.0) * limit); }

 private:
  uint64_t state_;
};

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_RANDOM_H_
