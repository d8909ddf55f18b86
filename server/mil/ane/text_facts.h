// What rules need to know of a program's text that the checked program no longer says: header,
// dialect, comments, weight references. Found in one pass over the tokens. Values, any thread.
#ifndef ANEX_SERVER_MIL_ANE_TEXT_FACTS_H_
#define ANEX_SERVER_MIL_ANE_TEXT_FACTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/mil/source_text.h"

namespace anex::mil {

struct BlobUse {
  std::string path;  // without "@model_path/"
  uint64_t offset = 0;
  Span where;  // the number of the offset
};

struct TextFacts {
  std::string version;  // "1.3"; "" if it cannot be read
  Span version_at;
  bool build_info = false;
  std::optional<Span> compact;   // the first scalar written as `fp16(...)`
  std::optional<Span> flexible;  // the first "?" dimension or FlexibleShapeInformation
  std::optional<Span> comment;   // the first
  std::vector<BlobUse> blobs;

  static TextFacts Of(const SourceText& text);
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_ANE_TEXT_FACTS_H_
