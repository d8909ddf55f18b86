// What is there of the service before anything is done: a snapshot that plans are made from.
// Values and pure functions, any thread; what managers and codesign print is read here.
#ifndef ANEX_CLIENT_CLI_SERVICE_FOUND_H_
#define ANEX_CLIENT_CLI_SERVICE_FOUND_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace anex::cli {

struct FoundFile {
  std::string content;
  uint32_t mode = 0;
};

struct FoundSignature {
  bool valid = false;      // what is signed has not changed since
  std::string identifier;  // "" = not signed
  bool ad_hoc = false;
  std::string authority;    // the certificate's name; "" if ad hoc
  std::string fingerprint;  // SHA-1 of the certificate, small letters; "" if not asked for or none
};

struct Found {
  std::map<std::string, FoundFile> files;   // those of the layout that are there
  std::map<std::string, uint32_t> folders;  // their modes
  std::set<std::string> left_over;          // of the layout's
  std::set<std::string> kept;
  std::set<std::string> logs;

  std::string manager_problem;  // why the manager cannot be asked and what to do; "" = it answers
  bool known = false;           // the manager has the job or the units
  bool listening = false;    // its sockets are open: launchd has the job, or the socket unit runs
  bool enabled = false;      // for the next login
  bool stale = false;        // systemd: units changed since it read them
  bool failed = false;       // systemd: gave up on it
  int64_t pid = 0;           // of the running daemon; 0 = none
  bool foreign = false;      // somebody answers on the socket whom the manager did not start
  FoundSignature signature;  // launchd, when installing
};

// Of `systemctl --user show anexd.socket anexd.service`: a block of KEY=VALUE a unit.
void ReadSystemctlShow(std::string_view text, Found& found);
// Of `launchctl print gui/UID/LABEL`, which succeeded.
void ReadLaunchctlPrint(std::string_view text, Found& found);
// Of `launchctl print-disabled gui/UID`: whether `label` is.
bool IsDisabled(std::string_view text, std::string_view label);
// Of `codesign --display --verbose=2 PROGRAM`; `valid` is not looked at.
FoundSignature ReadCodesign(std::string_view text);

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_SERVICE_FOUND_H_
