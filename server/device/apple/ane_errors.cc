#include "server/device/apple/ane_errors.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace anex::device::apple {
namespace {

using absl::StatusCode;

// The codes as the framework's own constructors of errors name them; what to do is ours.
constexpr AneErrorCode kCodes[] = {
    {1, StatusCode::kPermissionDenied, "the process lacks the entitlement for this call"},
    {2, StatusCode::kPermissionDenied,
     "real-time priority needs an entitlement that only Apple gives; run without it"},
    {3, StatusCode::kDeadlineExceeded,
     "the engine did not answer in time; it may be busy with other processes"},
    {4, StatusCode::kInternal, "the program could not be created at the engine"},
    {5, StatusCode::kOutOfRange,
     "the computation overflowed; fp16 ends at 65504, scale the operands down"},
    {6, StatusCode::kResourceExhausted,
     "the program could not be loaded; too many may be loaded at once"},
    {7, StatusCode::kFailedPrecondition,
     "the code of this process is not signed, and the engine's cache asks whose it is; sign anexd "
     "(anectl install does)"},
    {8, StatusCode::kInternal,
     "the evaluation failed; a size that does not fit a port is the usual cause, a poisoned "
     "program the other"},
    {9, StatusCode::kFailedPrecondition, "a file of the model could not be read or written"},
    {10, StatusCode::kInvalidArgument, "the model is not valid for this engine"},
    {11, StatusCode::kInternal, "the model's key is not valid"},
    {12, StatusCode::kPermissionDenied, "the system refused to drop its compiled copy"},
    {13, StatusCode::kInternal, "the surfaces could not be mapped for the engine"},
    {14, StatusCode::kInternal, "the surfaces could not be unmapped"},
    {15, StatusCode::kUnimplemented,
     "chaining could not be prepared; it needs an entitlement that only Apple gives"},
    {16, StatusCode::kNotFound, "a file of the model is missing"},
    {17, StatusCode::kNotFound, "the engine does not know this model; it is compiled again"},
    {18, StatusCode::kNotFound, "the engine does not know the model that this one is based on"},
    {19, StatusCode::kNotFound, "the instance is not in the engine's cache"},
    {20, StatusCode::kInternal, "the instance is not valid"},
    {21, StatusCode::kInternal, "a new instance could not be loaded"},
    {22, StatusCode::kFailedPrecondition,
     "the virtual machine and its host do not fit each other; update the older one"},
    {23, StatusCode::kNotFound, "the loaded program is gone; it is loaded again"},
    {24, StatusCode::kNotFound, "data of the program is gone"},
    {25, StatusCode::kUnimplemented, "the engine does not support this"},
    {26, StatusCode::kInvalidArgument, "the framework refused an argument"},
    {27, StatusCode::kUnavailable, "no engine in this virtual machine"},
    {29, StatusCode::kUnavailable, "no engine in this virtual machine"},
};

const AneErrorCode* Find(int64_t code) {
  const auto* found = std::ranges::find(kCodes, code, &AneErrorCode::code);
  return found == std::end(kCodes) ? nullptr : found;
}

// The driver's status comes as text only: "... status=0x1d ...".
constexpr std::pair<std::string_view, std::string_view> kDriverWords[] = {
    {"0x1d",
     "; 0x1d: a surface has another size than the port wants, or an earlier failure has poisoned "
     "the process"},
    {"status=0x2", "; 0x2: symbols of another function than the one that runs"},
    {"0x16", "; 0x16: the inference itself failed"},
    {"0xe00002e2", "; 0xe00002e2: not permitted"},
    {"0xe00002c2", "; 0xe00002c2: bad argument"},
    {"0xe00002c7", "; 0xe00002c7: not supported"},
};

// The word stands in `text` and no longer number does.
bool Names(std::string_view text, std::string_view word) {
  const size_t at = text.find(word);
  if (at == text.npos) return false;
  const size_t end = at + word.size();
  return end == text.size() || !absl::ascii_isxdigit(static_cast<unsigned char>(text[end]));
}

std::string_view DriverHint(std::string_view text) {
  const std::string lower = absl::AsciiStrToLower({text.data(), text.size()});
  for (const auto& [word, hint] : kDriverWords) {
    if (Names(lower, word)) return hint;
  }
  return "";
}

absl::Status Say(absl::StatusCode status, std::string_view what, std::string_view domain,
                 int64_t code, std::string_view meaning, std::string_view text) {
  std::string sentence = absl::StrCat(std::string(what), ": ", std::string(domain), "/", code, ": ",
                                      std::string(meaning), std::string(DriverHint(text)));
  if (!text.empty()) absl::StrAppend(&sentence, " (Apple says: ", std::string(text), ")");
  return absl::Status(status, sentence);
}

}  // namespace

std::span<const AneErrorCode> AneErrorCodes() { return kCodes; }

absl::Status ExplainError(std::string_view what, std::string_view domain, int64_t code,
                          std::string_view text) {
  if (domain == kAneCompilerDomain) {
    return Say(StatusCode::kInvalidArgument, what, domain, code,
               "Apple's compiler refused the program without saying where; `anectl check --device "
               "ane` shows what is known to be refused",
               text);
  }
  const AneErrorCode* known = domain == kAneDomain ? Find(code) : nullptr;
  if (known != nullptr) return Say(known->status, what, domain, code, known->meaning, text);
  return Say(StatusCode::kInternal, what, domain, code, "not known to anexd; please report it",
             text);
}

}  // namespace anex::device::apple
