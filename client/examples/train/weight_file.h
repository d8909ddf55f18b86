// Writes the weight file of a MIL program: Apple's blob storage, version 2. A 64-byte header with
// the number of blobs, then per blob a 64-byte record and its data, everything on 64-byte borders,
// little endian. BLOBFILE offsets name the record, not the data. One owner at a time.
#ifndef ANEX_CLIENT_EXAMPLES_TRAIN_WEIGHT_FILE_H_
#define ANEX_CLIENT_EXAMPLES_TRAIN_WEIGHT_FILE_H_

#include <cstdint>
#include <span>
#include <string>

namespace anex::train {

class WeightFileWriter {
 public:
  // Appends `values` as fp16 and returns the offset for BLOBFILE.
  uint64_t Append(std::span<const float> values);
  bool empty() const { return count_ == 0; }
  // The whole file.
  std::string Finish() &&;

 private:
  std::string bytes_ = std::string(64, '\0');
  uint32_t count_ = 0;
};

}  // namespace anex::train

#endif  // ANEX_CLIENT_EXAMPLES_TRAIN_WEIGHT_FILE_H_
