// Grids with a transform from the block to their own cube, outside of which they are 0 (AMGSRN).
//
// In: points of the unit cube, transforms among the parameters. Out: corners of cells, slopes. The
// equations are in insitu/models/adaptive_grid/reference.py.
#pragma once

#include <algorithm>

#include "corners.hpp"

namespace insitu {

// The position of a point of the unit cube in a grid, in cells from its first vertex: from -1 to
// the number of vertices, at which nothing of the grid is left.
inline void moved_position(const Level& level, const float* transform, float x, float y, float z,
                           float* position) {
  const float u = 2.0f * x - 1.0f, v = 2.0f * y - 1.0f, w = 2.0f * z - 1.0f;
  const auto beyond = static_cast<float>(level.resolution[0]);
  for (int a = 0; a < 3; ++a) {
    const float* row = transform + 4 * a;
    const float local = row[0] * u + row[1] * v + row[2] * w + row[3];
    position[a] = std::min(std::max(level.scale[a] * local + level.shift, -1.0f), beyond);
  }
}

// One axis of a cell: the lower of two vertices that exist, and their weights. Where one end of the
// cell does not exist, it has no weight: the grid blends with 0 over one cell.
struct MovedEdge {
  uint32_t low;
  float weight[2], slope[2];

  MovedEdge(float position, uint32_t resolution) {
    const auto r = static_cast<int32_t>(resolution);
    const int32_t cell = static_cast<int32_t>(position + 1.0f) - 1;  // -1 .. r
    const float above = position - static_cast<float>(cell), below = 1.0f - above;
    const bool before = cell < 0, after = cell >= r - 1;
    const bool outside = position <= -1.0f || cell >= r;
    low = static_cast<uint32_t>(std::clamp(cell, 0, r - 2));
    weight[0] = before ? above : after ? 0.0f : below;
    weight[1] = before || outside ? 0.0f : after ? below : above;
    slope[0] = outside || after ? 0.0f : before ? 1.0f : -1.0f;
    slope[1] = outside || before ? 0.0f : after ? -1.0f : 1.0f;
  }
};

template <int F>
inline void find_moved_corners(const Level& level, const float* params, const float* x,
                               const float* y, const float* z, Corners& corners) {
  const float* transform = params + level.transform;
  const uint32_t r = level.resolution[0], layer = r * r;
  const uint32_t step[8] = {0, 1, r, r + 1, layer, layer + 1, layer + r, layer + r + 1};
  for (int s = 0; s < kChunk; ++s) {
    float position[3];
    moved_position(level, transform, x[s], y[s], z[s], position);
    const MovedEdge ex(position[0], r), ey(position[1], r), ez(position[2], r);
    // The weights along x as a whole, and the share of the upper end.
    const float whole = ex.weight[0] + ex.weight[1];
    corners.x1[s] = whole > 0.0f ? ex.weight[1] / whole : 0.0f;
    for (int j = 0; j < 4; ++j) corners.yz[j][s] = whole * ey.weight[j & 1] * ez.weight[j >> 1];
    const uint32_t base = ex.low + r * (ey.low + r * ez.low);
    for (int c = 0; c < 8; ++c) corners.index[c][s] = (base + step[c]) * F;
  }
  corners.paired = true;
}

// Adds d(value)/d(point), given d(value)/d(features of this level), F of each sample, kPanel apart.
// points, out: 3 rows of kChunk.
template <int F>
inline void add_moved_slopes(const Level& level, const float* params, const float* points,
                             const float* gradient, float* out) {
  const float *transform = params + level.transform, *table = params + level.offset;
  const uint32_t r = level.resolution[0];
  for (int s = 0; s < kChunk; ++s) {
    float position[3];
    moved_position(level, transform, points[s], points[kChunk + s], points[2 * kChunk + s],
                   position);
    const MovedEdge edges[3] = {{position[0], r}, {position[1], r}, {position[2], r}};
    const uint32_t base = edges[0].low + r * (edges[1].low + r * edges[2].low);
    const float* g = gradient + s * kPanel;
    float by_position[3] = {};
    for (int c = 0; c < 8; ++c) {
      const int at[3] = {c & 1, c >> 1 & 1, c >> 2};
      const uint32_t i = base + at[0] + r * (at[1] + r * at[2]);
      float along = 0.0f;
      for (int f = 0; f < F; ++f) along += g[f] * table[static_cast<std::size_t>(i) * F + f];
      for (int a = 0; a < 3; ++a) {
        const int b = (a + 1) % 3, d = (a + 2) % 3;
        by_position[a] +=
            edges[a].slope[at[a]] * edges[b].weight[at[b]] * edges[d].weight[at[d]] * along;
      }
    }
    for (int b = 0; b < 3; ++b)
      for (int a = 0; a < 3; ++a)
        out[b * kChunk + s] += 2.0f * level.scale[a] * by_position[a] * transform[4 * a + b];
  }
}

}  // namespace insitu
