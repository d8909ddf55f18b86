#include "client/cli/service/service_wish.h"

namespace anex::cli {

ServiceManager ServiceManagerHere() { return ServiceManager::kSystemd; }

}  // namespace anex::cli
