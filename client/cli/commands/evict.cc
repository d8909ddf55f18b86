#include <charconv>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/output/text.h"

namespace anex::cli {
namespace {

// "3.1" as listings show it.
absl::StatusOr<SessionId> ParseSessionId(const std::string& text) {
  uint32_t slot = 0, generation = 0;
  const char* end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, slot);
  if (error == std::errc() && dot != end && *dot == '.') {
    const auto [last, second] = std::from_chars(dot + 1, end, generation);
    if (second == std::errc() && last == end && generation != 0) {
      return SessionId::Make(slot, generation);
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\" is no session: give one as `anectl sessions` shows it, e.g. 3.1"));
}

absl::StatusOr<int> Evict(Context& context, const std::string& text) {
  const absl::StatusOr<SessionId> session = ParseSessionId(text);
  if (!session.ok()) return context.UsageProblem(session.status());
  const absl::StatusOr<std::shared_ptr<Transport>> transport = context.Connect();
  if (!transport.ok()) return transport.status();
  const absl::Status evicted = (*transport)->EvictSession(*session);
  if (!evicted.ok()) return evicted;
  context.Print(Json{{"evicted", FormatId(session->value())}},
                absl::StrCat("Session ", FormatId(session->value()), " is gone.\n"));
  return kExitOk;
}

}  // namespace

void AddEvictCommand(CLI::App& root, Chosen& chosen) {
  auto session = std::make_shared<std::string>();
  CLI::App* command =
      AddCommand(root, "evict", "Ends a session as if its client had gone", "anectl evict 3.1",
                 chosen, [session](Context& context) { return Evict(context, *session); });
  command->add_option("SESSION", *session, "As `anectl sessions` shows it")->required();
}

}  // namespace anex::cli
