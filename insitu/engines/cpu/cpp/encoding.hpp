// Multiresolution hash encoding (Mueller et al. 2022, section 3), for chunks of samples.
//
// In: points of the unit cube. Out: features, in panels (products.hpp); backward, gradients of the
// tables and of the points.
#pragma once

#include <algorithm>
#include <cmath>

#include "corners.hpp"
#include "fourier.hpp"
#include "moved_grid.hpp"
#include "products.hpp"

namespace insitu {

// Entries of the 8 corners of each sample's cell and their trilinear weights.
template <int F, Lookup kLookup>
inline void find_corners(const Level& level, const float* x, const float* y, const float* z,
                         Corners& corners) {
  constexpr bool kIsAligned = kLookup == Lookup::kAligned;
  constexpr float kShift = kIsAligned ? 0.0f : 0.5f;
  const uint32_t rx = level.resolution[0], ry = level.resolution[kIsAligned ? 1 : 0];
  const uint32_t mask = level.size - 1, size = level.size;
  const float sx = level.scale[0];
  const float sy = kIsAligned ? level.scale[1] : sx, sz = kIsAligned ? level.scale[2] : sx;
  uint32_t highest = 0;
  for (int s = 0; s < kChunk; ++s) {
    const float px = x[s] * sx + kShift;
    const float py = y[s] * sy + kShift;
    const float pz = z[s] * sz + kShift;
    uint32_t cx = cell_of(px), cy = cell_of(py), cz = cell_of(pz);
    if constexpr (kIsAligned) {  // a point on the upper face belongs to the last cell
      cx = std::min(cx, rx - 2);
      cy = std::min(cy, ry - 2);
      cz = std::min(cz, level.resolution[2] - 2);
    }
    const float wy1 = py - static_cast<float>(static_cast<int32_t>(cy)), wy0 = 1.0f - wy1;
    const float wz1 = pz - static_cast<float>(static_cast<int32_t>(cz)), wz0 = 1.0f - wz1;
    corners.x1[s] = px - static_cast<float>(static_cast<int32_t>(cx));
    corners.yz[0][s] = wy0 * wz0;
    corners.yz[1][s] = wy1 * wz0;
    corners.yz[2][s] = wy0 * wz1;
    corners.yz[3][s] = wy1 * wz1;
    if constexpr (kLookup == Lookup::kHashed) {
      const uint32_t y0 = cy * 2654435761u, y1 = y0 + 2654435761u;
      const uint32_t z0 = cz * 805459861u, z1 = z0 + 805459861u;
      const uint32_t h00 = y0 ^ z0, h10 = y1 ^ z0, h01 = y0 ^ z1, h11 = y1 ^ z1;
      corners.index[0][s] = ((cx ^ h00) & mask) * F;
      corners.index[1][s] = (((cx + 1) ^ h00) & mask) * F;
      corners.index[2][s] = ((cx ^ h10) & mask) * F;
      corners.index[3][s] = (((cx + 1) ^ h10) & mask) * F;
      corners.index[4][s] = ((cx ^ h01) & mask) * F;
      corners.index[5][s] = (((cx + 1) ^ h01) & mask) * F;
      corners.index[6][s] = ((cx ^ h11) & mask) * F;
      corners.index[7][s] = (((cx + 1) ^ h11) & mask) * F;
    } else {
      const uint32_t base = cx + rx * (cy + ry * cz), layer = rx * ry;
      const uint32_t step[8] = {0, 1, rx, rx + 1, layer, layer + 1, layer + rx, layer + rx + 1};
      for (int c = 0; c < 8; ++c) {
        // The half-cell offset lets the last corner leave the grid by one: tiny-cuda-nn wraps it.
        const uint32_t i = base + step[c];
        const uint32_t wrapped = kIsAligned ? i : std::min(i, i - size);  // huge where i < size
        corners.index[c][s] = wrapped * F;
        if (c % 2 == 0) highest = std::max(highest, wrapped);
      }
    }
  }
  corners.paired = kLookup != Lookup::kHashed && highest + 1 < size;
}

// The two ends of an edge parallel to x.
template <int F>
union Edge {
  entry_t<2 * F> pair;
  entry_t<F> end[2];
};

// features = sum over corners of weight * entry. features: F of each sample, kPanel apart.
template <int F>
inline void gather(const float* table, const Corners& corners, float* features) {
  using entry = entry_t<F>;
  const auto at = [&](int c, int s) {
    return table + corners.index[c][s];
  };
  const auto mix = [&](int s, entry low, entry high) {
    const float x1 = corners.x1[s];
    *reinterpret_cast<entry*>(features + s * kPanel) = (1.0f - x1) * low + x1 * high;
  };
  if (corners.paired) {
    for (int s = 0; s < kChunk; ++s) {
      Edge<F> sum{};
      for (int j = 0; j < 4; ++j)
        sum.pair += corners.yz[j][s] * *reinterpret_cast<const entry_t<2 * F>*>(at(2 * j, s));
      mix(s, sum.end[0], sum.end[1]);
    }
    return;
  }
  for (int s = 0; s < kChunk; ++s) {
    entry low{}, high{};
    for (int j = 0; j < 4; ++j) {
      low += corners.yz[j][s] * *reinterpret_cast<const entry*>(at(2 * j, s));
      high += corners.yz[j][s] * *reinterpret_cast<const entry*>(at(2 * j + 1, s));
    }
    mix(s, low, high);
  }
}

// table_gradient += transpose of gather. gradient: F of each sample, kPanel apart.
template <int F>
inline void scatter(float* table_gradient, const Corners& corners, const float* gradient) {
  using entry = entry_t<F>;
  const auto at = [&](int c, int s) {
    return table_gradient + corners.index[c][s];
  };
  for (int s = 0; s < kChunk; ++s) {
    const entry g = *reinterpret_cast<const entry*>(gradient + s * kPanel);
    const entry high = corners.x1[s] * g, low = g - high;
    // Not in pairs: the next sample often uses one of these entries with another neighbour, and a
    // load that partly overlaps a recent store has to wait for it.
    for (int j = 0; j < 4; ++j) {
      *reinterpret_cast<entry*>(at(2 * j, s)) += corners.yz[j][s] * low;
      *reinterpret_cast<entry*>(at(2 * j + 1, s)) += corners.yz[j][s] * high;
    }
  }
}

// Offset of the first feature of level l in a chunk's activations.
template <int F>
inline long place(int l) {
  return static_cast<long>(l * F / kPanel) * kPanelSize + l * F % kPanel;
}

// Encodes one chunk. points: 3 rows of kChunk; corners: one per level; out: n_inputs, in panels;
// features beyond levels x features are left as they are (zero).
template <int F>
inline void encode_levels(const Network& net, const float* params, const float* points,
                          Corners* corners, float* out) {
  for (int l = 0; l < net.n_levels; ++l) {
    const Level& level = net.levels[l];
    const float *x = points, *y = points + kChunk, *z = points + 2 * kChunk;
    switch (level.lookup) {
      case Lookup::kHashed: find_corners<F, Lookup::kHashed>(level, x, y, z, corners[l]); break;
      case Lookup::kWrapped: find_corners<F, Lookup::kWrapped>(level, x, y, z, corners[l]); break;
      case Lookup::kAligned: find_corners<F, Lookup::kAligned>(level, x, y, z, corners[l]); break;
      case Lookup::kMoved: find_moved_corners<F>(level, params, points, corners[l]); break;
    }
    gather<F>(params + level.offset, corners[l], out + place<F>(l));
  }
  if (net.n_frequencies > 0)
    encode_fourier(net.n_frequencies, F * net.n_levels, points, points + kChunk,
                   points + 2 * kChunk, kChunk, out);
}

template <int F>
inline void scatter_levels(const Network& net, const Corners* corners, const float* gradient,
                           float* params_gradient) {
  for (int l = 0; l < net.n_levels; ++l)
    scatter<F>(params_gradient + net.levels[l].offset, corners[l], gradient + place<F>(l));
}

// d(value)/d(point), given d(value)/d(features): the derivative of trilinear interpolation, a
// bilinear interpolation of the differences across the cell. points: 3 rows of kChunk; encoded: the
// features; out: 3 rows of kChunk, overwritten.
template <int F>
inline void point_gradient(const Network& net, const float* params, const float* points,
                           const Corners* corners, const float* encoded, const float* gradient,
                           float* out) {
  using entry = entry_t<F>;
  if (net.n_moved > 0) {
    std::fill(out, out + 3 * kChunk, 0.0f);
    for (int l = 0; l < net.n_levels; ++l)
      add_moved_slopes<F>(net.levels[l], params, points, gradient + place<F>(l), out);
    return;
  }
  alignas(64) float products[3][kChunk * F] = {};  // per feature; summed at the end
  for (int l = 0; l < net.n_levels; ++l) {
    const float* table = params + net.levels[l].offset;
    const Corners& at = corners[l];
    const float* scale = net.levels[l].scale;
    for (int s = 0; s < kChunk; ++s) {
      const float w0 = at.yz[0][s], w1 = at.yz[1][s], w2 = at.yz[2][s], w3 = at.yz[3][s];
      const float x1 = at.x1[s], y1 = w1 + w3, z1 = w2 + w3;
      entry across[4], value[4];  // per edge parallel to x: difference, and value at the point
      for (int j = 0; j < 4; ++j) {
        const entry low = *reinterpret_cast<const entry*>(table + at.index[2 * j][s]);
        across[j] = *reinterpret_cast<const entry*>(table + at.index[2 * j + 1][s]) - low;
        value[j] = low + x1 * across[j];
      }
      const entry along_x = w0 * across[0] + w1 * across[1] + w2 * across[2] + w3 * across[3];
      const entry y_low = value[1] - value[0], z_low = value[2] - value[0];
      const entry along_y = y_low + z1 * (value[3] - value[2] - y_low);
      const entry along_z = z_low + y1 * (value[3] - value[1] - z_low);
      const entry g = *reinterpret_cast<const entry*>(gradient + place<F>(l) + s * kPanel);
      *reinterpret_cast<entry*>(products[0] + s * F) += along_x * (scale[0] * g);
      *reinterpret_cast<entry*>(products[1] + s * F) += along_y * (scale[1] * g);
      *reinterpret_cast<entry*>(products[2] + s * F) += along_z * (scale[2] * g);
    }
  }
  for (int a = 0; a < 3; ++a)
    for (int s = 0; s < kChunk; ++s) {
      float total = products[a][s * F];
      for (int f = 1; f < F; ++f) total += products[a][s * F + f];
      out[a * kChunk + s] = total;
    }
  if (net.n_frequencies > 0)
    add_fourier_slopes(net.n_frequencies, F * net.n_levels, encoded, gradient, out);
}

// Calls f with the number of features as a compile-time constant.
template <typename Function>
inline void with_features(int features, Function&& f) {
  switch (features) {
    case 1: f(std::integral_constant<int, 1>{}); break;
    case 2: f(std::integral_constant<int, 2>{}); break;
    case 4: f(std::integral_constant<int, 4>{}); break;
    default: f(std::integral_constant<int, 8>{}); break;
  }
}

}  // namespace insitu
