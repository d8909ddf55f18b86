// A private folder that goes with its owner. One user at a time.
#ifndef ANEX_TESTS_DOOR_TEMP_DIR_H_
#define ANEX_TESTS_DOOR_TEMP_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace anex::door {

class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/anex-door-XXXXXX";
    path_ = ::mkdtemp(name);  // 0700
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace anex::door

#endif  // ANEX_TESTS_DOOR_TEMP_DIR_H_
