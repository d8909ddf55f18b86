// The selectors that this device calls, and how the running system has them: a private class may
// change with any release, and calling a selector that has gone, or whose arguments have other
// types, ends the process or worse. So they are asked for before.
//
// Pure values here; selector_table.mm looks.
#ifndef ANEX_SERVER_DEVICE_APPLE_SELECTOR_CHECK_H_
#define ANEX_SERVER_DEVICE_APPLE_SELECTOR_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

namespace anex::device::apple {

enum class SelectorUse : uint8_t {
  kAlways = 0,    // surfaces and requests: without it there is no device
  kInMemory = 1,  // programs as _ANEInMemoryModel
  kClient = 2,    // programs as _ANEModel through _ANEClient
  kOption = 3,    // something that is used if it is there, or only probed
};

struct SelectorCheck {
  std::string class_name;
  std::string selector;
  bool of_class = false;  // "+" rather than "-"
  SelectorUse use = SelectorUse::kOption;
  std::string expected;  // return and arguments by @encode, without self and _cmd: "B I@@^@"
  std::string found;     // the same of the running system; "" if there is none
  bool ok = false;       // calls may be made

  // "-[_ANEClient beginRealTimeTask]"
  std::string Name() const {
    return std::string(of_class ? "+[" : "-[") + class_name + " " + selector + "]";
  }
};

// Looks at all of the table.
std::vector<SelectorCheck> CheckSelectors();

}  // namespace anex::device::apple

#endif  // ANEX_SERVER_DEVICE_APPLE_SELECTOR_CHECK_H_
