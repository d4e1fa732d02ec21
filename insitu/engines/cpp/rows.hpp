// Encoding along a row of a regular grid: y and z are the same for all its samples, so the four
// (y, z) corners are mixed once per grid line crossed, and each sample only mixes two of these.
//
// In: the row's x coordinates, its y and z. Out: features, in panels, as encode_levels.
#pragma once

#include "encoding.hpp"

namespace insitu {

constexpr int kRowEntries = 2 * kChunk;  // longer runs of grid lines are mixed as they are met

// One level seen along a row.
template <int F>
class RowLevel {
 public:
  using entry = entry_t<F>;

  RowLevel(const Level& level, const float* table, float y, float z) : level_(level), table_(table) {
    const float py = y * level.scale + 0.5f, pz = z * level.scale + 0.5f;
    const uint32_t cy = cell_of(py), cz = cell_of(pz);
    const float wy = py - static_cast<float>(cy), wz = pz - static_cast<float>(cz);
    for (int j = 0; j < 4; ++j) {
      const uint32_t vy = cy + (j & 1), vz = cz + (j >> 1);
      weight_[j] = (j & 1 ? wy : 1.0f - wy) * (j >> 1 ? wz : 1.0f - wz);
      base_[j] = level.hashed ? (vy * 2654435761u) ^ (vz * 805459861u)
                              : level.resolution * (vy + level.resolution * vz);
    }
  }

  // The level's features on grid line x = cx of the row.
  entry at(uint32_t cx) const {
    entry value{};
    for (int j = 0; j < 4; ++j) {
      uint32_t i = level_.hashed ? (cx ^ base_[j]) & (level_.size - 1) : cx + base_[j];
      if (!level_.hashed && i >= level_.size) i -= level_.size;
      value += weight_[j] *
               *reinterpret_cast<const entry*>(table_ + static_cast<std::size_t>(i) * F);
    }
    return value;
  }

 private:
  const Level& level_;
  const float* table_;
  uint32_t base_[4];
  float weight_[4];
};

// Samples of a chunk that lie in one row: n coordinates in [lowest, highest].
struct RowPart {
  const float* xs;
  long n;
  float lowest, highest, y, z;
};

// Features of a part of a row: F of each sample, kPanel apart.
template <int F>
inline void gather_row(const Level& level, const float* table, const RowPart& part,
                       float* features) {
  using entry = entry_t<F>;
  const RowLevel<F> row(level, table, part.y, part.z);
  const uint32_t first = cell_of(part.lowest * level.scale + 0.5f);
  const uint32_t count = cell_of(part.highest * level.scale + 0.5f) + 2 - first;
  alignas(64) float lines[kRowEntries * F];
  int32_t cell[kChunk];
  float t[kChunk];
  for (long s = 0; s < part.n; ++s) {
    const float p = part.xs[s] * level.scale + 0.5f;
    cell[s] = static_cast<int32_t>(p);
    t[s] = p - static_cast<float>(cell[s]);
    cell[s] -= static_cast<int32_t>(first);
  }
  if (count > kRowEntries) {
    for (long s = 0; s < part.n; ++s) {
      const uint32_t c = first + static_cast<uint32_t>(cell[s]);
      const entry low = row.at(c), high = row.at(c + 1);
      *reinterpret_cast<entry*>(features + s * kPanel) = low + t[s] * (high - low);
    }
    return;
  }
  for (uint32_t i = 0; i < count; ++i)
    *reinterpret_cast<entry*>(lines + i * F) = row.at(first + i);
  for (long s = 0; s < part.n; ++s) {
    const float* at = lines + cell[s] * F;
    const entry low = *reinterpret_cast<const entry*>(at);
    const entry high = *reinterpret_cast<const entry*>(at + F);
    *reinterpret_cast<entry*>(features + s * kPanel) = low + t[s] * (high - low);
  }
}

// A chunk of a grid whose samples are numbered along x, then y, then z: starts at sample `begin`,
// has `count` samples. encoded: n_inputs, in panels; samples beyond `count` are left as they are.
template <int F>
inline void encode_grid_chunk(const Network& net, const float* params, const float* xs, long nx,
                              const float* ys, long ny, const float* zs, long begin, long count,
                              float* encoded) {
  RowPart parts[kChunk];
  int n_parts = 0;
  for (long s = 0; s < count; s += parts[n_parts++].n) {
    const long i = begin + s, x = i % nx;
    const long n = std::min(count - s, nx - x);
    const auto [lowest, highest] = std::minmax_element(xs + x, xs + x + n);
    parts[n_parts] = {xs + x, n, *lowest, *highest, ys[i / nx % ny], zs[i / (nx * ny)]};
  }
  for (int l = 0; l < net.n_levels; ++l) {
    const Level& level = net.levels[l];
    float* to = encoded + place<F>(l);
    for (int i = 0; i < n_parts; to += parts[i++].n * kPanel)
      gather_row<F>(level, params + level.offset, parts[i], to);
  }
}

}  // namespace insitu
