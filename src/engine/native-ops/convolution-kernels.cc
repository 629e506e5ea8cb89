#include "convolution-kernels.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define SOFTSHARD_KERNELS "convolution-kernels.inc"
#include "instruction-sets.inc"

namespace softshard {

const ConvolutionKernels& convolutionKernels() { return bestKernels(); }

}  // namespace softshard
