// Grids with a transform from the block to their own cube, outside of which they are 0 (AMGSRN).
//
// In: points of the unit cube, transforms among the parameters. Out: corners of cells, slopes. The
// equations are in insitu/models/adaptive_grid/reference.py.
#pragma once

#include <array>
#include <cstring>

#include "corners.hpp"

namespace insitu {

// A vector of samples along one axis of a grid: the lower of two vertices, and where the samples
// lie from it, in cells. Within half a cell or so outside of the grid that is below 0 or above 1.
struct MovedAxis {
  vint low;
  vfloat at;

  // A vertex has the weight of a hat, so that the grid blends with 0 over one cell beyond its ends.
  vfloat weight(float vertex) const {
    const vfloat from = at - splat(vertex);
    return most(vfloat{}, splat(1.0f) - most(from, -from));
  }

  // The derivative of the weight by the position.
  vfloat slope(float vertex) const {
    const vfloat from = at - splat(vertex), one = splat(1.0f);
    const vfloat side = from < vfloat{} ? one : -one;
    return most(from, -from) < one ? side : vfloat{};
  }
};

inline MovedAxis moved_axis(const Level& level, const float* row, vfloat x, vfloat y, vfloat z) {
  const auto r = static_cast<int>(level.resolution[0]);
  const vfloat local = splat(row[0]) * x + splat(row[1]) * y + splat(row[2]) * z + splat(row[3]);
  const vfloat place = splat(level.scale[0]) * local + splat(level.shift);
  // Nothing of the grid is left beyond; and far outside, no cell has a number.
  const vfloat kept = most(splat(-1.0f), least(place, splat(static_cast<float>(r))));
  const vint zero{};
  const vint cell = least(to_int(kept), splat(r - 2));
  const vint low = cell > zero ? cell : zero;
  return {low, kept - to_float(low)};
}

// The axes of a grid at kLanes samples, from 3 rows of points of the unit cube, kChunk apart.
inline std::array<MovedAxis, 3> moved_axes(const Level& level, const float* transform,
                                           const float* points) {
  const vfloat two = splat(2.0f), one = splat(1.0f);
  const vfloat x = two * load(points) - one, y = two * load(points + kChunk) - one,
               z = two * load(points + 2 * kChunk) - one;
  return {moved_axis(level, transform, x, y, z), moved_axis(level, transform + 4, x, y, z),
          moved_axis(level, transform + 8, x, y, z)};
}

// points: 3 rows of kChunk.
template <int F>
inline void find_moved_corners(const Level& level, const float* params, const float* points,
                               Corners& corners) {
  const auto r = static_cast<int>(level.resolution[0]), layer = r * r;
  const int step[8] = {0, 1, r, r + 1, layer, layer + 1, layer + r, layer + r + 1};
  for (int s = 0; s < kChunk; s += kLanes) {
    const auto axes = moved_axes(level, params + level.transform, points + s);
    // The weights along x as a whole, and the share of the upper end.
    const vfloat upper = axes[0].weight(1.0f), whole = axes[0].weight(0.0f) + upper;
    store(corners.x1 + s, whole > vfloat{} ? upper / whole : vfloat{});
    const vfloat y[2] = {whole * axes[1].weight(0.0f), whole * axes[1].weight(1.0f)};
    const vfloat z[2] = {axes[2].weight(0.0f), axes[2].weight(1.0f)};
    for (int j = 0; j < 4; ++j) store(corners.yz[j] + s, y[j & 1] * z[j >> 1]);
    const vint base = axes[0].low + splat(r) * (axes[1].low + splat(r) * axes[2].low);
    for (int c = 0; c < 8; ++c) {
      const vint index = (base + splat(step[c])) * splat(F);
      std::memcpy(corners.index[c] + s, &index, sizeof(index));
    }
  }
  corners.paired = true;
}

// Adds d(value)/d(point), given d(value)/d(features of this level), F of each sample, kPanel apart.
// points, out: 3 rows of kChunk.
template <int F>
inline void add_moved_slopes(const Level& level, const float* params, const float* points,
                             const float* gradient, float* out) {
  const float *transform = params + level.transform, *table = params + level.offset;
  const auto r = static_cast<int>(level.resolution[0]);
  for (int s = 0; s < kChunk; s += kLanes) {
    const auto axes = moved_axes(level, transform, points + s);
    const vint base = axes[0].low + splat(r) * (axes[1].low + splat(r) * axes[2].low);
    vfloat by_position[3] = {};
    for (int c = 0; c < 8; ++c) {
      const int at[3] = {c & 1, c >> 1 & 1, c >> 2};
      const vint index = base + splat(at[0] + r * (at[1] + r * at[2]));
      vfloat along{};
      for (int i = 0; i < kLanes; ++i) {
        const float* entry = table + static_cast<std::ptrdiff_t>(index[i]) * F;
        const float* g = gradient + (s + i) * kPanel;
        for (int f = 0; f < F; ++f) along[i] += g[f] * entry[f];
      }
      for (int a = 0; a < 3; ++a) {
        const int b = (a + 1) % 3, d = (a + 2) % 3;
        by_position[a] += axes[a].slope(static_cast<float>(at[a])) *
                          axes[b].weight(static_cast<float>(at[b])) *
                          axes[d].weight(static_cast<float>(at[d])) * along;
      }
    }
    for (int b = 0; b < 3; ++b) {
      float* to = out + b * kChunk + s;
      for (int a = 0; a < 3; ++a)
        store(to, load(to) + splat(2.0f * level.scale[a] * transform[4 * a + b]) * by_position[a]);
    }
  }
}

}  // namespace insitu
