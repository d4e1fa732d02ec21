// Errors of a network at a raw block's own samples, without a decoded copy of the block.
//
// In: `MeasureArguments`. Out: sum of squares, maximum and count, for each block of threads.
#pragma once

#include "mlp.hpp"

struct MeasureArguments {
  ReadNetwork net;
  Grid grid;
  Part parts[kOutputs];
  double origin[kOutputs], extent[kOutputs];
  int64 begin, end, every;  // of every `every` chunks of 128 samples one is measured
  double* out;              // (blocks, outputs, 3): sum of squares, maximum, count
};

KERNEL(measure, MeasureArguments, kReadThreads) {
  const MeasureArguments& a = arguments;
  double squares[kOutputs], largest[kOutputs], finite[kOutputs];
  UNROLL
  for (int o = 0; o < kOutputs; ++o) squares[o] = largest[o] = finite[o] = 0.0;
  // A block's threads take a chunk.
  const int64 step = static_cast<int64>(block_count()) * kReadThreads * a.every;
  for (int64 i =
           a.begin + static_cast<int64>(block_index()) * kReadThreads * a.every + thread_index();
       i < a.end; i += step) {
    const Place at = place_of(a.grid, i);
    float out[kOutputs];
    evaluate_point(a.net, point_of(a.grid, at), out);
    UNROLL
    for (int o = 0; o < kOutputs; ++o) {
      const double truth = owned_value(a.grid, a.parts[o], at);
      double value = a.origin[o] + a.extent[o] * static_cast<double>(out[o]);
      if (!a.parts[o].is_double) value = static_cast<double>(static_cast<float>(value));
      if (is_finite(truth)) {
        const double error = fabs(value - truth);
        squares[o] += error * error;
        largest[o] = fmax(largest[o], error);
        finite[o] += 1.0;
      }
    }
  }
  double* const shared = reinterpret_cast<double*>(shared_memory());
  constexpr int kWarps = kReadThreads / 32;
  for (int o = 0; o < kOutputs; ++o) {
    const double sums[3] = {warp_sum(squares[o]), warp_max(largest[o]), warp_sum(finite[o])};
    wait_for_block();
    if (thread_index() % 32 == 0)
      for (int k = 0; k < 3; ++k) shared[thread_index() / 32 * 3 + k] = sums[k];
    wait_for_block();
    if (thread_index() == 0) {
      double* out = a.out + (static_cast<int64>(block_index()) * kOutputs + o) * 3;
      out[0] = out[1] = out[2] = 0.0;
      for (int w = 0; w < kWarps; ++w) {
        out[0] += shared[3 * w];
        out[1] = fmax(out[1], shared[3 * w + 1]);
        out[2] += shared[3 * w + 2];
      }
    }
  }
}
