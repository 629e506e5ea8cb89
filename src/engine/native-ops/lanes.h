// Sixteen float32 lanes, whatever the machine's registers hold: the compiler splits them where they are narrower. All
// results are therefore the same bits on every instruction set, provided that nothing is contracted into fused
// multiply-adds (-ffp-contract=off).
#pragma once

#include <cstdint>
#include <cstring>

namespace softshard {

constexpr int64_t kLanes = 16;

typedef float Lanes __attribute__((vector_size(64)));
typedef uint32_t BitLanes __attribute__((vector_size(64)));

}  // namespace softshard
