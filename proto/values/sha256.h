// SHA-256, by which content is named and compared: streamed, framed where several fields go in, as
// 32 bytes or as 64 lower-case digits.
//
// Threads: pure functions; a Sha256 belongs to one thread. Throws std::bad_alloc where memory is
// short; nothing else of it can fail.
#ifndef ANEX_PROTO_VALUES_SHA256_H_
#define ANEX_PROTO_VALUES_SHA256_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace anex {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::string_view bytes);
  // Its length, then its bytes: "ab" and "c" are not "a" and "bc".
  void UpdateFramed(std::string_view field);
  void UpdateNumber(uint64_t number);  // 8 bytes, little endian
  // Each ends the stream.
  std::string Finish();
  std::string FinishHex();

 private:
  struct Context;
  const std::unique_ptr<Context> context_;
};

std::string Sha256Of(std::string_view bytes);   // 32 bytes
std::string Sha256Hex(std::string_view bytes);  // 64 digits

}  // namespace anex

#endif  // ANEX_PROTO_VALUES_SHA256_H_
