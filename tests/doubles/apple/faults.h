// The faults of double_control.h, read and handed out. Threads: any.
#ifndef ANEX_TESTS_DOUBLES_APPLE_FAULTS_H_
#define ANEX_TESTS_DOUBLES_APPLE_FAULTS_H_

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "tests/doubles/apple/double_control.h"

namespace anex::ane_double {

class Faults {
 public:
  static Faults& Instance();

  void Set(std::string_view text);
  // What is to go wrong at `point` now, "" if nothing; counts down.
  std::string Take(const std::string& point);
  // The same without counting: a setting.
  std::string Get(const std::string& point) const;
  int64_t Number(const std::string& point, int64_t otherwise) const;
  // Sleeps as long as `point` says (ms).
  void Delay(const std::string& point) const;
  // Waits for Release.
  void Hang();
  void Release();

 private:
  struct Fault {
    std::string what;
    int64_t left = -1;  // -1 = for ever
  };
  Faults();

  mutable std::mutex mutex_;
  std::condition_variable released_;
  uint64_t releases_ = 0;
  std::map<std::string, Fault> faults_;
};

// The counts, each kept by who does it.
class Counts {
 public:
  static Counts& Instance();
  void Add(uint64_t AneDoubleCounts::*count, int64_t by = 1);
  void Reset();  // but for what there is now
  AneDoubleCounts Get() const;

 private:
  mutable std::mutex mutex_;
  AneDoubleCounts counts_{};
};

}  // namespace anex::ane_double

#endif  // ANEX_TESTS_DOUBLES_APPLE_FAULTS_H_
