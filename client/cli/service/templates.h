// The service definitions of launchd/*.in, which are built into anectl: one source for what is
// shipped and what is installed. Pure, any thread.
#ifndef ANEX_CLIENT_CLI_SERVICE_TEMPLATES_H_
#define ANEX_CLIENT_CLI_SERVICE_TEMPLATES_H_

#include <map>
#include <string>
#include <string_view>

namespace anex::cli {

// With places such as @ANEXD@ to fill in.
extern const char* const kAgentPlistTemplate;
extern const char* const kServiceUnitTemplate;
extern const char* const kSocketUnitTemplate;

// `text` with every @NAME@ of `values` replaced, once: what is filled in is not looked at again.
std::string FillTemplate(std::string_view text, const std::map<std::string, std::string>& values);

// As they stand in a property list, and as one word of a command in a unit file.
std::string XmlText(std::string_view text);
std::string UnitWord(std::string_view text);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_SERVICE_TEMPLATES_H_
