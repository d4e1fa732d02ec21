// Values of a network at points or on a grid.
//
// In: `ReadArguments`. Out: (n, outputs).
#pragma once

#include "points.hpp"

KERNEL(evaluate, ReadArguments, kReadThreads) {
  const int64 step = static_cast<int64>(block_count()) * kReadThreads;
  for (int64 i = static_cast<int64>(block_index()) * kReadThreads + thread_index(); i < arguments.n;
       i += step) {
    float out[kOutputs];
    evaluate_point(arguments.net, point_number(arguments, i), out);
    UNROLL
    for (int o = 0; o < kOutputs; ++o) arguments.out[i * kOutputs + o] = out[o];
  }
}
