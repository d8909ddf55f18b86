#include "server/engine/objects/secrets.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "absl/strings/escaping.h"
#include "proto/values/sha256.h"

namespace anex::engine {
namespace {

void FillRandom(std::span<unsigned char> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1) return;
  std::fputs("the operating system's random generator failed; cannot make secrets\n", stderr);
  std::abort();
}

}  // namespace

std::string RandomSecret() {
  std::array<unsigned char, 32> bytes;
  FillRandom(bytes);
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

uint32_t RandomWord() {
  std::array<unsigned char, 4> bytes;
  FillRandom(bytes);
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 |
         uint32_t{bytes[3]} << 24;
}

std::string HashOfSecret(std::string_view secret) { return Sha256Hex(secret); }

bool EqualSecrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace anex::engine
