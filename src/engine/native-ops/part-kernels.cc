#include "part-kernels.h"

#include <cmath>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define SOFTSHARD_KERNELS "part-kernels.inc"
#include "instruction-sets.inc"

namespace softshard {

const PartKernels& partKernels() { return bestKernels(); }

}  // namespace softshard
