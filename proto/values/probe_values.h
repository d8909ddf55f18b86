// Values of the contract about what a device turned out to be able to do. Values only, any thread.
#ifndef ANEX_PROTO_VALUES_PROBE_VALUES_H_
#define ANEX_PROTO_VALUES_PROBE_VALUES_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace anex {

enum class Evidence : uint8_t {
  kProbed = 1,    // tried now, on this hardware
  kAssumed = 2,   // not tried; what is publicly known says so
  kEmulated = 3,  // how this device behaves, which imitates another
};
inline std::string_view EvidenceName(Evidence evidence) {
  switch (evidence) {
    case Evidence::kProbed:
      return "probed";
    case Evidence::kAssumed:
      return "assumed";
    case Evidence::kEmulated:
      return "emulated";
  }
  return "unknown";
}

struct ProbeFinding {
  std::string claim;     // "weight_reload": does not change between versions
  std::string question;  // for people
  std::string answer;    // "ignored", "yes", "no", "unavailable", ...
  Evidence evidence = Evidence::kAssumed;
  std::map<std::string, double> numbers;  // by name with the unit at its end: "median_us"
};

struct ProbeReport {
  std::string device;
  std::string description;  // chip, system
  std::vector<ProbeFinding> findings;
};

}  // namespace anex

#endif  // ANEX_PROTO_VALUES_PROBE_VALUES_H_
