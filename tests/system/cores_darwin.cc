// macOS places threads itself (quality of service classes); programs cannot name a core.
#include "tests/system/cores.h"

namespace anex::test {

bool PinToCore(int) { return false; }
void RunAnywhere() {}

}  // namespace anex::test
