// Random bytes from the operating system's generator (OpenSSL RAND_bytes) and comparison in
// constant time. Any thread. Dies if the generator fails: a guessable secret is worse than no
// daemon.
#ifndef ANEX_SERVER_ENGINE_OBJECTS_SECRETS_H_
#define ANEX_SERVER_ENGINE_OBJECTS_SECRETS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace anex::engine {

// 32 random bytes as 64 lowercase hex digits.
std::string RandomSecret();
uint32_t RandomWord();
// SHA-256 as hex: what tables keep instead of a secret.
std::string HashOfSecret(std::string_view secret);
// Takes as long whether the texts differ at the first byte or nowhere; lengths are not secret.
bool EqualSecrets(std::string_view a, std::string_view b);

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_OBJECTS_SECRETS_H_
