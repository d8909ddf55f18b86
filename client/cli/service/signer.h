// Whose signature a program has, and whether that is who was asked for, in the words that codesign
// takes: - for ad hoc, the SHA-1 of a certificate as forty hexadecimal digits, or a part of its
// name. Pure functions, any thread.
#ifndef ANEX_CLIENT_CLI_SERVICE_SIGNER_H_
#define ANEX_CLIENT_CLI_SERVICE_SIGNER_H_

#include <string>
#include <string_view>

#include "client/cli/service/found.h"

namespace anex::cli {

bool IsFingerprint(std::string_view signer);
// Of a certificate in DER, as codesign and `security find-identity` write it but in small letters.
std::string FingerprintOf(std::string_view certificate);

bool IsSignedBy(const FoundSignature& signature, std::string_view signer);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_SERVICE_SIGNER_H_
