// Words for people: figures with units, and names made harmless. Pure functions, any thread.
#ifndef ANEX_CLIENT_CLI_OUTPUT_TEXT_H_
#define ANEX_CLIENT_CLI_OUTPUT_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/values/status_values.h"

namespace anex::cli {

// A name from somebody else, safe to print on a terminal: control characters (C0, C1, DEL), marks
// that reorder text, and bytes that are no UTF-8 become \x1b, \u202e and the like. A backslash
// stays.
std::string Harmless(std::string_view untrusted);
// The same, but line breaks and tabs stay: for messages of several lines.
std::string HarmlessLines(std::string_view untrusted);

std::string FormatDuration(
    int64_t ns);  // "340 ns", "12.3 us", "4.56 ms", "1.20 s", "3m 07s", "2h 05m"
std::string FormatBytes(uint64_t bytes);  // "512 B", "1.5 KiB", "2.0 GiB"
std::string FormatShare(
    double share);  // 0.873 -> "87 %"; "<1 %" for what is little but not nothing
std::string FormatCount(uint64_t count);  // 1234567 -> "1,234,567"
std::string Plural(uint64_t count, std::string_view one, std::string_view many);  // "1 entry"
std::string FormatNumber(double value);            // 6 significant digits, "nan", "inf"
std::string FormatId(uint64_t id);                 // slot.generation: "3.1"
std::string FormatUtc(int64_t unix_s);             // "2024-05-01 12:30:05Z"; "-" for 0
std::string ShortDigest(std::string_view digest);  // the first 12 characters
std::string_view HealthName(Health health);
// Columns that `text` takes on a terminal: its code points.
size_t DisplayWidth(std::string_view text);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_TEXT_H_
