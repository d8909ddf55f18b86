// Whole programs to read, print and run: those of tests/programs, and the corpus of real ones
// beside the source tree, which is not part of it.
#ifndef ANEX_TESTS_MIL_CORPUS_H_
#define ANEX_TESTS_MIL_CORPUS_H_

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace anex::mil {

// Paths of all programs below a folder, sorted; empty if it is not there.
inline std::vector<std::filesystem::path> ProgramsBelow(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path root = std::filesystem::path(ANEX_SOURCE_DIR) / folder;
  std::error_code error;
  for (auto it = std::filesystem::recursive_directory_iterator(root, error);
       !error && it != std::filesystem::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().extension() == ".mil") files.push_back(it->path());
  }
  std::ranges::sort(files);
  return files;
}

inline std::vector<std::filesystem::path> OwnPrograms() { return ProgramsBelow("tests/programs"); }
inline std::vector<std::filesystem::path> CorpusFiles() {
  return ProgramsBelow("../shared/mil-corpus");
}
inline std::vector<std::filesystem::path> AllPrograms() {
  std::vector<std::filesystem::path> files = OwnPrograms();
  std::ranges::copy(CorpusFiles(), std::back_inserter(files));
  return files;
}

inline std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace anex::mil

#endif  // ANEX_TESTS_MIL_CORPUS_H_
