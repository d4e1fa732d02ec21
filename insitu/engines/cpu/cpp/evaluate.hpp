// Evaluation of a trained network: values and gradients at points, values on a grid.
//
// In: network, parameters, points of the unit cube. Out: normalized outputs.
#pragma once

#include <vector>

#include "rows.hpp"
#include "team.hpp"

namespace insitu {

// Transposes up to kChunk points (n, 3) into the workspace; the rest repeats the last one.
inline void load_points(const float* points, long n, Workspace& work) {
  float* to = work.points.data();
  for (int a = 0; a < 3; ++a) {
    for (long s = 0; s < n; ++s) to[a * kChunk + s] = points[3 * s + a];
    std::fill(to + a * kChunk + n, to + (a + 1) * kChunk, points[3 * (n - 1) + a]);
  }
}

// out (n, n_outputs).
inline void evaluate(const Network& net, const float* params, const Transposed& transposed,
                     const float* points, long n, Workspace& work, float* out) {
  with_features(net.features, [&](auto features) {
    for (long begin = 0; begin < n; begin += kChunk) {
      const long count = std::min<long>(kChunk, n - begin);
      load_points(points + 3 * begin, count, work);
      forward<features.value>(net, params, transposed, work);
      for (int o = 0; o < net.n_outputs; ++o)
        for (long s = 0; s < count; ++s)
          out[(begin + s) * net.n_outputs + o] = work.output[o * kChunk + s];
    }
  });
}

// out (n, n_outputs, 3): derivative of each output along x, y, z of the unit cube.
inline void evaluate_gradient(const Network& net, const float* params, const Transposed& transposed,
                              const float* points, long n, Workspace& work, float* out) {
  alignas(64) float slope[3 * kChunk];
  with_features(net.features, [&](auto features) {
    for (long begin = 0; begin < n; begin += kChunk) {
      const long count = std::min<long>(kChunk, n - begin);
      load_points(points + 3 * begin, count, work);
      forward<features.value>(net, params, transposed, work);
      for (int o = 0; o < net.n_outputs; ++o) {
        float* one = work.output_gradient.data() + o * kChunk;  // the other rows stay zero
        std::fill(one, one + kChunk, 1.0f);
        const float* encoding_gradient = backward_mlp(net, params, work, nullptr);
        std::fill(one, one + kChunk, 0.0f);
        point_gradient<features.value>(net, params, work.points.data(), work.corners.data(),
                                       work.encoded.data(), encoding_gradient, slope);
        for (long s = 0; s < count; ++s)
          for (int a = 0; a < 3; ++a)
            out[((begin + s) * net.n_outputs + o) * 3 + a] = slope[a * kChunk + s];
      }
    }
  });
}

// The points of the unit cube at which x, y, z are one of xs, ys, zs; numbered along x, then y, z.
struct Grid {
  const float *xs, *ys, *zs;
  long nx, ny, nz;

  long size() const { return nx * ny * nz; }
};

// Values at the points part.begin .. part.end - 1 of a grid, handed out a chunk at a time as
// sink(first index, count, outputs (n_outputs, kChunk)): nothing of the size of the grid is held.
// Of the chunks only each `every`th.
template <typename Sink>
inline void decode(const Network& net, const float* params, const Grid& grid, Part part,
                   Sink&& sink, long every = 1) {
  Workspace work(net);
  if (net.n_moved > 0) {  // no row of the grid lies along a grid line
    const Transposed transposed(net, params);
    for (long begin = part.begin; begin < part.end; begin += kChunk * every) {
      const long count = std::min<long>(kChunk, part.end - begin);
      for (long s = 0; s < kChunk; ++s) {
        const long i = begin + std::min(s, count - 1), line = i / grid.nx;
        work.points[s] = grid.xs[i % grid.nx];
        work.points[kChunk + s] = grid.ys[line % grid.ny];
        work.points[2 * kChunk + s] = grid.zs[line / grid.ny];
      }
      with_features(net.features,
                    [&](auto features) { forward<features.value>(net, params, transposed, work); });
      sink(begin, count, work.output.data());
    }
    return;
  }
  Rows rows(net, params, grid.xs, grid.nx);
  for (long begin = part.begin; begin < part.end; begin += kChunk * every) {
    const long count = std::min<long>(kChunk, part.end - begin);
    rows.decode(grid.ys, grid.ny, grid.zs, begin, count, work);
    sink(begin, count, work.output.data());
  }
}

// work(part) for parts of n points, on as many threads as have enough work.
template <typename Work>
inline void share_out(long n, int threads, Work&& work) {
  constexpr long kLeast = 1 << 15;  // points, about a millisecond
  const int size = static_cast<int>(std::clamp<long>(n / kLeast, 1, threads));
  run_team(size, [&](int i) { work(i, part_of(n, i, size, kChunk)); });
}

}  // namespace insitu
