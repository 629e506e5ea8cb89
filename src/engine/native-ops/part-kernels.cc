#include "part-kernels.h"

#include <cmath>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// Widest vectors: 16 bytes at level 0, 32 at level 1, 64 at level 2.
#define SOFTSHARD_ISA baseline
#define SOFTSHARD_TARGET
#define SOFTSHARD_LEVEL 0
#include "part-kernels.inc"
#undef SOFTSHARD_ISA
#undef SOFTSHARD_TARGET
#undef SOFTSHARD_LEVEL

#if defined(__x86_64__)
#define SOFTSHARD_ISA avx2
#define SOFTSHARD_TARGET __attribute__((target("avx2,fma")))
#define SOFTSHARD_LEVEL 1
#include "part-kernels.inc"
#undef SOFTSHARD_ISA
#undef SOFTSHARD_TARGET
#undef SOFTSHARD_LEVEL

#define SOFTSHARD_ISA avx512
#define SOFTSHARD_TARGET __attribute__((target("avx512f,avx2,fma")))
#define SOFTSHARD_LEVEL 2
#include "part-kernels.inc"
#undef SOFTSHARD_ISA
#undef SOFTSHARD_TARGET
#undef SOFTSHARD_LEVEL
#endif

namespace softshard {

const PartKernels& partKernels() {
#if defined(__x86_64__)
  static const bool fma = __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2");
  static const PartKernels& best = fma && __builtin_cpu_supports("avx512f") ? avx512::kernels
                                   : fma                                    ? avx2::kernels
                                                                            : baseline::kernels;
  return best;
#else
  return baseline::kernels;
#endif
}

}  // namespace softshard
