#include "client/cli/service/signer.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

namespace anex::cli {

bool IsFingerprint(std::string_view signer) {
  return signer.size() == 40 && std::ranges::all_of(signer, [](char c) {
           return absl::ascii_isxdigit(static_cast<unsigned char>(c));
         });
}

std::string FingerprintOf(std::string_view certificate) {
  std::string digest(20, '\0');
  EVP_Digest(certificate.data(), certificate.size(),
             reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha1(), nullptr);
  return absl::BytesToHexString(digest);
}

bool IsSignedBy(const FoundSignature& signature, std::string_view signer) {
  if (signer == "-") return signature.ad_hoc;
  if (IsFingerprint(signer)) {
    return signature.fingerprint == absl::AsciiStrToLower(std::string(signer));
  }
  return signature.authority.find(signer) != std::string::npos;
}

}  // namespace anex::cli
