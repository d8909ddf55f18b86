#include "client/cli/service/found.h"

#include <functional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/cli/service/service_wish.h"

namespace anex::cli {
namespace {

void ForEachLine(std::string_view text, const std::function<void(std::string_view)>& take) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    take(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

// The rest of a line that begins with `start`, spaces around it left out; false if it does not.
bool After(std::string_view line, std::string_view start, std::string& rest) {
  const std::string trimmed(absl::StripAsciiWhitespace(std::string(line)));
  if (!trimmed.starts_with(start)) return false;
  rest = std::string(absl::StripAsciiWhitespace(trimmed.substr(start.size())));
  return true;
}

using Unit = std::map<std::string, std::string>;

void ReadUnit(Unit& unit, Found& found) {
  const std::string state = unit["ActiveState"];
  found.known = found.known || unit["LoadState"] == "loaded";
  found.stale = found.stale || unit["NeedDaemonReload"] == "yes";
  found.failed = found.failed || state == "failed";
  if (unit["LoadState"] == "masked") {
    found.manager_problem = absl::StrCat(
        unit["Id"], " is masked, so that nobody starts it; run: systemctl --user unmask ",
        unit["Id"]);
  }
  if (unit["Id"] == kSocketUnit) {
    found.listening = state == "active" || state == "activating";
    found.enabled = unit["UnitFileState"] == "enabled";
  } else {
    int64_t pid = 0;
    // A control process has no main one yet; what counts is that the unit is busy.
    const bool busy = state == "active" || state == "activating" || state == "reloading";
    if (absl::SimpleAtoi(unit["MainPID"], &pid) && busy) found.pid = pid;
  }
  unit.clear();
}

}  // namespace

void ReadSystemctlShow(std::string_view text, Found& found) {
  Unit unit;
  ForEachLine(text, [&](std::string_view line) {
    const size_t equals = line.find('=');
    if (equals == line.npos) {
      if (!unit.empty()) ReadUnit(unit, found);
      return;
    }
    unit[std::string(line.substr(0, equals))] = std::string(line.substr(equals + 1));
  });
  if (!unit.empty()) ReadUnit(unit, found);
}

void ReadLaunchctlPrint(std::string_view text, Found& found) {
  found.known = found.listening = true;
  ForEachLine(text, [&](std::string_view line) {
    std::string value;
    if (found.pid == 0 && After(line, "pid =", value)) {
      (void)absl::SimpleAtoi(value, &found.pid);
    }
  });
}

bool IsDisabled(std::string_view text, std::string_view label) {
  bool disabled = false;
  ForEachLine(text, [&](std::string_view line) {
    std::string value;
    if (After(line, absl::StrCat("\"", std::string(label), "\" =>"), value)) {
      disabled = value == "disabled" || value == "true";  // newer and older systems
    }
  });
  return disabled;
}

FoundSignature ReadCodesign(std::string_view text) {
  FoundSignature signature;
  ForEachLine(text, [&](std::string_view line) {
    std::string value;
    if (After(line, "Identifier=", value)) {
      signature.identifier = value;
    } else if (After(line, "Signature=", value)) {
      signature.ad_hoc = value == "adhoc";
    } else if (After(line, "Authority=", value) && signature.authority.empty()) {
      signature.authority = value;  // the first is the certificate's own
    }
  });
  return signature;
}

}  // namespace anex::cli
