#include "part-kernels.h"

#include <cmath>
#include <vector>

#define SOFTSHARD_ISA baseline
#define SOFTSHARD_TARGET
#include "part-kernels.inc"
#undef SOFTSHARD_ISA
#undef SOFTSHARD_TARGET

#if defined(__x86_64__)
#define SOFTSHARD_ISA avx2
#define SOFTSHARD_TARGET __attribute__((target("avx2")))
#include "part-kernels.inc"
#undef SOFTSHARD_ISA
#undef SOFTSHARD_TARGET

#define SOFTSHARD_ISA avx512
#define SOFTSHARD_TARGET __attribute__((target("avx512f")))
#include "part-kernels.inc"
#undef SOFTSHARD_ISA
#undef SOFTSHARD_TARGET
#endif

namespace softshard {

const PartKernels& partKernels() {
#if defined(__x86_64__)
  static const PartKernels& best = __builtin_cpu_supports("avx512f") ? avx512::kernels
                                   : __builtin_cpu_supports("avx2")  ? avx2::kernels
                                                                     : baseline::kernels;
  return best;
#else
  return baseline::kernels;
#endif
}

}  // namespace softshard
