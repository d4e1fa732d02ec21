// Trilinear samples of the raw values of one partition, read where the simulation keeps them.
//
// In: strided components with ghost layers, points of the unit cube. Out: interpolated values;
// NaN where a sample that counts is not finite.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "sampler.hpp"

namespace insitu {

// Axes of this file are in the order x, y, z (the caller turns the array order z, y, x round).
struct GridShape {
  std::array<long, 3> samples;    // available samples per axis, ghost layers included
  std::array<long, 3> ghost_low;  // ghost layers below the owned box
  std::array<long, 3> cells;      // owned cells per axis
  bool vertex;                    // samples sit on the vertices, not in the cell centres
};

struct GridComponent {
  const void* data;             // first sample, ghost layers included
  std::array<long, 3> strides;  // in elements
  bool is_double;
};

class GridSampler : public Sampler {
 public:
  GridSampler(const GridShape& shape, std::vector<GridComponent> components)
      : shape_(shape), components_(std::move(components)) {}

  int components() const override { return static_cast<int>(components_.size()); }

  void sample(const float* unit_points, long n, float* out) const override {
    Chunk chunk;
    for (long first = 0; first < n; first += kChunk) {
      const long count = std::min(kChunk, n - first);
      for (int axis = 0; axis < 3; ++axis) locate(unit_points + 3 * first, count, axis, chunk);
      for (int c = 0; c < components(); ++c) {
        float* values = out + first * components() + c;
        if (components_[c].is_double)
          interpolate<double>(components_[c], chunk, count, values);
        else
          interpolate<float>(components_[c], chunk, count, values);
      }
    }
  }

 private:
  static constexpr long kChunk = 64;

  // The cell of samples around each point of a chunk, and where in it the point lies.
  struct Chunk {
    long lower[3][kChunk];      // index of the corner below
    float fraction[3][kChunk];  // 0 at the corner below, 1 at the one above
  };

  // Index coordinate of u: u * n + low for vertices, half a cell less for cell centres.
  void locate(const float* points, long count, int axis, Chunk& chunk) const {
    const long samples = shape_.samples[axis];
    const float cells = static_cast<float>(shape_.cells[axis]);
    const float offset =
        static_cast<float>(shape_.ghost_low[axis]) - (shape_.vertex ? 0.0f : 0.5f);
    const float last = static_cast<float>(samples - 1);
    const long last_lower = std::max(0L, samples - 2);
    for (long i = 0; i < count; ++i) {
      const float index = std::min(std::max(points[3 * i + axis] * cells + offset, 0.0f), last);
      const long lower = std::min(static_cast<long>(index), last_lower);
      chunk.lower[axis][i] = lower;
      chunk.fraction[axis][i] = index - static_cast<float>(lower);
    }
  }

  // value = sum over the 8 corners of weight * sample. A corner of weight 0 does not count, so
  // that a point on the edge of a masked region keeps its value.
  template <typename T>
  void interpolate(const GridComponent& component, const Chunk& chunk, long count,
                   float* out) const {
    const T* data = static_cast<const T*>(component.data);
    long up[3];  // from a corner to the next above; 0 along an axis of one sample
    for (int a = 0; a < 3; ++a) up[a] = shape_.samples[a] > 1 ? component.strides[a] : 0;
    const auto& s = component.strides;
    const int step = components();
    for (long i = 0; i < count; ++i) {
      const T* corner =
          data + chunk.lower[0][i] * s[0] + chunk.lower[1][i] * s[1] + chunk.lower[2][i] * s[2];
      const float fx = chunk.fraction[0][i], fy = chunk.fraction[1][i], fz = chunk.fraction[2][i];
      float value = 0.0f;
      for (int k = 0; k < 8; ++k) {
        const float weight = ((k & 1) ? fx : 1.0f - fx) * ((k & 2) ? fy : 1.0f - fy) *
                             ((k & 4) ? fz : 1.0f - fz);
        const float sample = static_cast<float>(
            corner[((k & 1) ? up[0] : 0) + ((k & 2) ? up[1] : 0) + ((k & 4) ? up[2] : 0)]);
        value += weight != 0.0f ? weight * sample : 0.0f;
      }
      out[i * step] = std::isfinite(value) ? value : std::numeric_limits<float>::quiet_NaN();
    }
  }

  GridShape shape_;
  std::vector<GridComponent> components_;
};

}  // namespace insitu
