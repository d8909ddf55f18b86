// The corpus of real programs beside the source tree; it is not part of it.
#ifndef ANEX_TESTS_MIL_CORPUS_H_
#define ANEX_TESTS_MIL_CORPUS_H_

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace anex::mil {

// Paths of all programs, sorted; empty if the corpus is not there.
inline std::vector<std::filesystem::path> CorpusFiles() {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path root =
      std::filesystem::path(ANEX_SOURCE_DIR) / "../shared/mil-corpus";
  std::error_code error;
  for (auto it = std::filesystem::recursive_directory_iterator(root, error);
       !error && it != std::filesystem::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().extension() == ".mil") files.push_back(it->path());
  }
  std::ranges::sort(files);
  return files;
}

inline std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace anex::mil

#endif  // ANEX_TESTS_MIL_CORPUS_H_
