// The keys of the configuration: for each its name, what it is for, what is legal, how it is set
// from a flag or a file, and how it is printed. One table, so that flags, file, --help and
// --print-config cannot disagree.
//
// Values and pure functions, any thread.
#ifndef ANEX_SERVER_SETTINGS_H_
#define ANEX_SERVER_SETTINGS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config.h"

namespace anex::server {

// One value as it was found. From a flag: its text, and the number if the text is one. From a file:
// what its TOML type says, so that "5" in quotes is no number.
struct Value {
  std::string shown;  // quoted if it is text, never longer than a line
  std::optional<std::string> text;
  std::optional<int64_t> integer;
  std::optional<double> number;
  std::optional<bool> truth;  // from a flag: true or false
  bool from_flag = false;
};

// One key outside [limits].
struct Setting {
  std::string name;                                 // in the file
  std::string help;                                 // one line
  std::string legal;                                // "must be " ...
  std::function<bool(Config&, const Value&)> set;   // false: not legal, nothing changed
  std::function<std::string(const Config&)> print;  // as TOML
};
std::vector<Setting> AllSettings(const Surroundings& surroundings);

// "--drain-timeout" for "drain_timeout".
std::string FlagOf(const std::string& name);
// "from 1 to 65536 sessions", as the limit itself says it. Empty if there is no such limit.
std::string LegalLimit(const std::string& name);
// An absolute path without a final slash; nothing if it is not legal. A flag's may be relative to
// the working folder, which a person sees; a file's may not.
std::optional<std::string> LegalPath(const Value& value);
// For messages: in quotes, escaped, cut after 80 bytes.
std::string Quoted(std::string_view text);
bool IsPrintableUtf8(const std::string& text);
// REQUIRES: IsPrintableUtf8. As a TOML string.
std::string PrintText(const std::string& text);
// The shortest text that reads back as the same number.
std::string PrintNumber(double number);

}  // namespace anex::server

#endif  // ANEX_SERVER_SETTINGS_H_
