// A small pool of threads that sleep when there is nothing to do.
#pragma once

#include <cstdint>

namespace softshard {

using PartFunction = void (*)(void* work, int64_t part);

// Calls run(work, part) for every part in [0, parts), on the caller's thread and the pool's, and returns when all are
// done. The order is not fixed: parts must write to places of their own. Never throws; a second caller at the same
// time, or a machine that grants no thread, does all of its parts itself.
void forEachPart(int64_t parts, PartFunction run, void* work);

// `forEachPart` for a function object: run(part).
template <typename Run>
void eachPart(int64_t parts, const Run& run) {
  forEachPart(
      parts, [](void* work, int64_t part) { (*static_cast<const Run*>(work))(part); }, const_cast<Run*>(&run));
}

// Threads that take part, the caller's included: TF_NUM_INTRAOP_THREADS, else those that the process may use.
int threadCount();

}  // namespace softshard
