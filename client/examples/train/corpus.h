// Text as numbers: where it comes from, its symbols, and which part trains and which part judges.
//
// Symbols are bytes. Symbol 0 is "unknown"; the others are the bytes that occur in the training
// part, the most frequent ones if there are more than 127.
// The text is cut into blocks of 4 KiB (of a fortieth of the text if that is less) and every tenth
// block goes to the validation part, so that it is like the rest even if the text is a row of
// different files. A window may cross the seam where a block was taken out; no byte is in both
// parts.
//
// ReadText touches the disk; everything else is pure. Values only, any thread.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_CORPUS_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_CORPUS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/examples/train/random.h"

namespace anex::train {

inline constexpr size_t kMaxTextBytes = 1 << 20;
inline constexpr int kMaxVocab = 128;

// The text of a file, or of a folder: its *.md, *.h, *.cc and *.proto in the order of their paths,
// without hidden folders, build folders and symbolic links. Of more than `max_bytes` a file gives
// its head; of a folder's files the longest are shortened. NOT_FOUND, or INVALID_ARGUMENT if there
// is no text.
absl::StatusOr<std::string> ReadText(const std::string& path, size_t max_bytes = kMaxTextBytes);

class Vocabulary {
 public:
  explicit Vocabulary(std::string_view training_text);

  int size() const { return static_cast<int>(bytes_.size()); }
  int SymbolOf(char byte) const { return symbols_[static_cast<uint8_t>(byte)]; }
  char ByteOf(int symbol) const { return bytes_[symbol]; }  // '?' for unknown
  std::vector<int> Encode(std::string_view text) const;

 private:
  std::array<int, 256> symbols_{};
  std::string bytes_ = "?";
};

struct Corpus {
  Vocabulary vocabulary;
  std::vector<int> training, validation;
};

// INVALID_ARGUMENT if a part would be shorter than `seq` + 1 symbols.
absl::StatusOr<Corpus> MakeCorpus(std::string_view text, int seq);

// A batch: `batch` windows of `seq` symbols, and for each symbol the one that follows it.
struct Batch {
  std::vector<int> inputs, targets;
};

// Windows at random places. REQUIRES: tokens.size() > seq
Batch RandomBatch(std::span<const int> tokens, int batch, int seq, Random& random);
// `count` batches at evenly spread places, the same at every call.
std::vector<Batch> FixedBatches(std::span<const int> tokens, int count, int batch, int seq);

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_CORPUS_H_
