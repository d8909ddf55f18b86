// The same types as for the doubles that run.
#include "../../../darwin/include/libproc.h"
