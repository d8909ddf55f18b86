// GNUstep asks for this header when blocks are on; Debian has it under another name only.
#pragma once
#include <Block.h>
