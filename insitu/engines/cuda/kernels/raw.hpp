// Kernels that need no network: sample points, raw blocks and their statistics.
//
// In: one structure each. Out: points, values, partial results of each block of threads.
#pragma once

#include "block.hpp"

constexpr int kRawThreads = 256;

DEVICE int64 first_index() {
  return static_cast<int64>(block_index()) * kRawThreads + thread_index();
}
DEVICE int64 index_step() { return static_cast<int64>(block_count()) * kRawThreads; }

struct DrawArguments {
  Sampling sampling;
  unsigned iteration;
  int64 n;
  float* out;  // (n, 3)
};

KERNEL(draw_points, DrawArguments, kRawThreads) {
  for (int64 i = first_index(); i < arguments.n; i += index_step()) {
    const Point p = draw(arguments.sampling, arguments.iteration, static_cast<int>(i));
    arguments.out[3 * i] = p.x;
    arguments.out[3 * i + 1] = p.y;
    arguments.out[3 * i + 2] = p.z;
  }
}

struct SampleArguments {
  Grid grid;
  Part part;
  const float* points;  // (n, 3)
  int64 n;
  float* out;
  int stride;  // between values
};

KERNEL(sample_block, SampleArguments, kRawThreads) {
  for (int64 i = first_index(); i < arguments.n; i += index_step()) {
    const float* p = arguments.points + 3 * i;
    const Cell cell = cell_of(arguments.grid, {p[0], p[1], p[2]});
    arguments.out[i * arguments.stride] =
        interpolate(arguments.grid, arguments.part, cell, 0.0, 1.0);
  }
}

struct SurveyArguments {
  Grid grid;
  Part part;
  int64 begin, end;
  double origin;
  double* out;  // (blocks, 6)
};

// Of one component's owned samples: minimum, maximum and number of the finite ones, number of NaN,
// largest distance and sum of squared distances from `origin`.
KERNEL(survey, SurveyArguments, kRawThreads) {
  double low = infinity(), high = -infinity(), finite = 0.0, nan = 0.0, largest = 0.0,
         squares = 0.0;
  for (int64 i = arguments.begin + first_index(); i < arguments.end; i += index_step()) {
    const double v = owned_value(arguments.grid, arguments.part, place_of(arguments.grid, i));
    if (is_finite(v)) {
      const double distance = fabs(arguments.origin - v);
      low = fmin(low, v);
      high = fmax(high, v);
      finite += 1.0;
      largest = fmax(largest, distance);
      squares += distance * distance;
    } else if (v != v) {
      nan += 1.0;
    }
  }
  const double of_warp[6] = {warp_min(low), warp_max(high),    warp_sum(finite),
                             warp_sum(nan), warp_max(largest), warp_sum(squares)};
  double* const shared = reinterpret_cast<double*>(shared_memory());
  if (thread_index() % 32 == 0)
    for (int k = 0; k < 6; ++k) shared[thread_index() / 32 * 6 + k] = of_warp[k];
  wait_for_block();
  if (thread_index() == 0) {
    double all[6];
    for (int k = 0; k < 6; ++k) all[k] = shared[k];
    for (int w = 1; w < kRawThreads / 32; ++w) {
      const double* more = shared + 6 * w;
      all[0] = fmin(all[0], more[0]);
      all[1] = fmax(all[1], more[1]);
      all[2] += more[2];
      all[3] += more[3];
      all[4] = fmax(all[4], more[4]);
      all[5] += more[5];
    }
    for (int k = 0; k < 6; ++k) arguments.out[6 * block_index() + k] = all[k];
  }
}
