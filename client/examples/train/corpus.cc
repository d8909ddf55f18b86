#include "client/examples/train/corpus.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace anex::train {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = 4096;
constexpr size_t kBlocksAtLeast = 40;
constexpr size_t kValidationEvery = 10;

bool IsSource(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".md" || extension == ".h" || extension == ".cc" || extension == ".proto";
}

bool IsSkippedFolder(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(".") || name.starts_with("build");
}

absl::StatusOr<std::string> ReadHead(const fs::path& path, size_t max_bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path.string()));
  std::string text(max_bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(max_bytes));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

absl::StatusOr<std::vector<fs::path>> SourcesBelow(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    if (entry->is_directory() && IsSkippedFolder(entry->path())) {
      entry.disable_recursion_pending();
    } else if (!entry->is_symlink() && entry->is_regular_file() && IsSource(entry->path())) {
      paths.push_back(entry->path());
    }
  }
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("cannot list ", folder.string(), ": ", error.message()));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The largest length to which texts may be cut so that together they have at most `max_bytes`.
size_t FairLength(std::vector<size_t> sizes, size_t max_bytes) {
  std::sort(sizes.begin(), sizes.end());
  for (size_t i = 0; i < sizes.size(); ++i) {
    const size_t each = max_bytes / (sizes.size() - i);
    if (sizes[i] > each) return each;
    max_bytes -= sizes[i];
  }
  return sizes.empty() ? 0 : sizes.back();
}

absl::StatusOr<std::string> ReadFolder(const fs::path& folder, size_t max_bytes) {
  const absl::StatusOr<std::vector<fs::path>> paths = SourcesBelow(folder);
  if (!paths.ok()) return paths.status();
  std::vector<std::string> texts;
  std::vector<size_t> sizes;
  for (const fs::path& path : *paths) {
    absl::StatusOr<std::string> text = ReadHead(path, max_bytes);
    if (!text.ok()) continue;  // unreadable for us: the rest is text enough
    sizes.push_back(text->size());
    texts.push_back(*std::move(text));
  }
  const size_t length = FairLength(sizes, max_bytes);
  std::string all;
  for (const std::string& text : texts) all.append(text, 0, length);
  return all;
}

}  // namespace

absl::StatusOr<std::string> ReadText(const std::string& path, size_t max_bytes) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return absl::NotFoundError(absl::StrCat("no file or folder ", path));
  absl::StatusOr<std::string> text =
      fs::is_directory(status) ? ReadFolder(path, max_bytes) : ReadHead(path, max_bytes);
  if (text.ok() && text->empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no text in ", path, "; a folder gives its *.md, *.h, *.cc and *.proto"));
  }
  return text;
}

Vocabulary::Vocabulary(std::string_view training_text) {
  std::array<size_t, 256> counts{};
  for (const char byte : training_text) ++counts[static_cast<uint8_t>(byte)];
  std::array<int, 256> order;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return counts[a] > counts[b]; });
  const auto kept = order.begin() + (kMaxVocab - 1);
  std::sort(order.begin(), kept);  // symbols in the order of bytes, not of counts
  for (auto byte = order.begin(); byte != kept; ++byte) {
    if (counts[*byte] == 0) continue;
    symbols_[*byte] = size();
    bytes_.push_back(static_cast<char>(*byte));
  }
}

std::vector<int> Vocabulary::Encode(std::string_view text) const {
  std::vector<int> symbols;
  symbols.reserve(text.size());
  for (const char byte : text) symbols.push_back(SymbolOf(byte));
  return symbols;
}

absl::StatusOr<Corpus> MakeCorpus(std::string_view text, int seq) {
  const size_t block = std::max<size_t>(1, std::min(kBlock, text.size() / kBlocksAtLeast));
  std::string training, validation;
  for (size_t index = 0; index * block < text.size(); ++index) {
    const bool judges = index % kValidationEvery == kValidationEvery - 1;
    (judges ? validation : training).append(text.substr(index * block, block));
  }
  const size_t needed = static_cast<size_t>(seq) + 1;
  if (training.size() < needed || validation.size() < needed) {
    return absl::InvalidArgumentError(
        absl::StrCat("the text has ", text.size(), " bytes, of which ", validation.size(),
                     " validate; windows of ", seq, " need ", needed, ": give a longer text"));
  }
  Vocabulary vocabulary(training);
  std::vector<int> train = vocabulary.Encode(training), judge = vocabulary.Encode(validation);
  return Corpus{std::move(vocabulary), std::move(train), std::move(judge)};
}

namespace {
void AppendWindow(std::span<const int> tokens, size_t start, int seq, Batch& batch) {
  const auto from = tokens.begin() + static_cast<std::ptrdiff_t>(start);
  batch.inputs.insert(batch.inputs.end(), from, from + seq);
  batch.targets.insert(batch.targets.end(), from + 1, from + 1 + seq);
}
}  // namespace

Batch RandomBatch(std::span<const int> tokens, int batch, int seq, Random& random) {
  const size_t starts = tokens.size() - static_cast<size_t>(seq);
  Batch result;
  for (int window = 0; window < batch; ++window) {
    AppendWindow(tokens, random.Below(starts), seq, result);
  }
  return result;
}

std::vector<Batch> FixedBatches(std::span<const int> tokens, int count, int batch, int seq) {
  const size_t starts = tokens.size() - static_cast<size_t>(seq);
  const size_t windows = static_cast<size_t>(count) * static_cast<size_t>(batch);
  std::vector<Batch> batches(count);
  for (size_t window = 0; window < windows; ++window) {
    AppendWindow(tokens, window * starts / windows, seq, batches[window / batch]);
  }
  return batches;
}

}  // namespace anex::train
