// Which names a function defines behind a place of its text: "used before it is defined" and
// "defined nowhere" have different mends. Looked for only once a name is unknown, in tokens alone:
// by then the statements that follow have not been read.
#ifndef ANEX_SERVER_MIL_LATER_DEFINITIONS_H_
#define ANEX_SERVER_MIL_LATER_DEFINITIONS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/values/hash_map.h"
#include "server/mil/source_text.h"

namespace anex::mil {

class LaterDefinitions {
 public:
  // Those of the statements that begin behind `offset`, up to the end of the function. Linear in
  // the text; `source` must outlive this.
  LaterDefinitions(const SourceText& source, uint32_t offset);

  // Where `name` is defined first, behind `offset` at that.
  std::optional<Span> Find(std::string_view name, uint32_t offset) const;

 private:
  HashMap<std::string_view, Span> first_;
};

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_LATER_DEFINITIONS_H_
