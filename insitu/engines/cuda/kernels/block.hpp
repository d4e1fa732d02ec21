// A raw block on the device, read in place through its strides.
//
// In: one pointer per component, float32 or float64. Out: trilinear values, owned samples and their
// positions.
#pragma once

#include "random.hpp"

struct Part {
  const char* data;
  int64 stride[3];  // bytes; z, y, x
  int is_double;
};

struct Grid {
  int shape[3];      // samples, ghosts included; z, y, x
  int ghost_low[3];  // ghost layers below the owned samples
  int owned[3];      // owned samples
  int cells[3];
  float shift;  // distance of the first owned sample from the face, in cells: 0.5, or 0 at nodes
};

// Owned sample number i, x fastest.
struct Place {
  int z, y, x;
};

DEVICE Place place_of(const Grid& grid, int64 i) {
  const int64 row = i / grid.owned[2];
  return {static_cast<int>(row / grid.owned[1]), static_cast<int>(row % grid.owned[1]),
          static_cast<int>(i % grid.owned[2])};
}

DEVICE Point point_of(const Grid& grid, Place at) {
  return {(static_cast<float>(at.x) + grid.shift) / static_cast<float>(grid.cells[2]),
          (static_cast<float>(at.y) + grid.shift) / static_cast<float>(grid.cells[1]),
          (static_cast<float>(at.z) + grid.shift) / static_cast<float>(grid.cells[0])};
}

DEVICE double owned_value(const Grid& grid, const Part& part, Place at) {
  const char* p = part.data + (at.z + grid.ghost_low[0]) * part.stride[0] +
                  (at.y + grid.ghost_low[1]) * part.stride[1] +
                  (at.x + grid.ghost_low[2]) * part.stride[2];
  return part.is_double ? *reinterpret_cast<const double*>(p)
                        : static_cast<double>(*reinterpret_cast<const float*>(p));
}

// The cell around a point; z, y, x.
struct Cell {
  int low[3];
  float t[3];
};

DEVICE Cell cell_of(const Grid& grid, Point p) {
  const float u[3] = {p.z, p.y, p.x};
  Cell cell;
  UNROLL
  for (int a = 0; a < 3; ++a) {
    // Without a ghost layer, the outermost half cell is constant.
    const float shift = static_cast<float>(grid.ghost_low[a]) - grid.shift;
    const float last = static_cast<float>(grid.shape[a] - 1);
    const float place = fminf(fmaxf(u[a] * static_cast<float>(grid.cells[a]) + shift, 0.0f), last);
    cell.low[a] = static_cast<int>(place);
    cell.t[a] = place - static_cast<float>(cell.low[a]);
  }
  return cell;
}

// Ends of weight 0 are ignored, so that a NaN affects only its own cells.
DEVICE float mix(float a, float b, float t) { return t == 0.0f ? a : (1.0f - t) * a + t * b; }

// (value - low) * scale at a point, the difference in the precision of the data: a field may vary
// little around a large mean.
template <typename T>
DEVICE float interpolate(const Grid& grid, const Part& part, const Cell& cell, double low,
                         double scale) {
  const char* from = part.data;
  int64 step[3];
  UNROLL
  for (int a = 0; a < 3; ++a) {
    from += cell.low[a] * part.stride[a];
    step[a] = cell.low[a] < grid.shape[a] - 1 ? part.stride[a] : 0;
  }
  const T origin = static_cast<T>(low), factor = static_cast<T>(scale);
  float corner[8];
  UNROLL
  for (int c = 0; c < 8; ++c) {
    const int64 more = (c & 1 ? step[2] : 0) + (c & 2 ? step[1] : 0) + (c & 4 ? step[0] : 0);
    const T value = *reinterpret_cast<const T*>(from + more);
    corner[c] = static_cast<float>((value - origin) * factor);
  }
  float edge[4];
  UNROLL
  for (int j = 0; j < 4; ++j) edge[j] = mix(corner[2 * j], corner[2 * j + 1], cell.t[2]);
  return mix(mix(edge[0], edge[1], cell.t[1]), mix(edge[2], edge[3], cell.t[1]), cell.t[0]);
}

DEVICE float interpolate(const Grid& grid, const Part& part, const Cell& cell, double low,
                         double scale) {
  return part.is_double ? interpolate<double>(grid, part, cell, low, scale)
                        : interpolate<float>(grid, part, cell, low, scale);
}
