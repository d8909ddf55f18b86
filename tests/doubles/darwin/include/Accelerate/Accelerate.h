// Of macOS's <Accelerate/Accelerate.h> what server/device/cpu uses, which another CBLAS has too.
#pragma once
#ifndef ACCELERATE_NEW_LAPACK
#error "cblas_sgemm without ACCELERATE_NEW_LAPACK is deprecated since macOS 13.3"
#endif
#include <cblas.h>
