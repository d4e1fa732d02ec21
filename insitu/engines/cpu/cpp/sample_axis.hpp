// Positions of the values that are rendered: along each axis of a block the owned samples and, for
// element data, the two faces. Trilinear interpolation of them equals that of the raw block, and
// neighboring blocks share the points on their faces.
//
// In: the grid lines of an axis. Out: from world coordinates to lattice coordinates, and back.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "simd.hpp"

namespace insitu {

// Number of lattice points of an axis with the given number of cells.
inline long sample_count(long cells, bool vertex) { return cells + (vertex ? 1 : 2); }

// Point i in unit coordinates: a grid line, or a cell's centre between the faces 0 and 1.
inline double sample_unit(long i, long cells, bool vertex) {
  if (vertex) return static_cast<double>(i) / static_cast<double>(cells);
  const double u = (static_cast<double>(i) - 0.5) / static_cast<double>(cells);
  return std::min(std::max(u, 0.0), 1.0);
}

// One axis of a block. A ray is a straight line in `along`, the distance from the lowest grid line
// in mean cells; on a stretched axis lattice coordinates are piecewise linear in it.
class SampleAxis {
 public:
  SampleAxis(const double* nodes, long cells, bool vertex)
      : lo_(nodes[0]),
        scale_(static_cast<double>(cells) / (nodes[cells] - nodes[0])),
        cells_(cells),
        vertex_(vertex) {
    nodes_.resize(static_cast<std::size_t>(cells) + 1);
    for (long i = 0; i <= cells; ++i) nodes_[i] = (nodes[i] - lo_) * scale_;
    for (long i = 0; i <= cells; ++i)
      uniform_ &= std::abs(nodes_[i] - static_cast<double>(i)) < 1e-6;
    for (long i = 0; i < cells; ++i)
      inverse_.push_back(static_cast<float>(1.0 / (nodes_[i + 1] - nodes_[i])));
    single_.assign(nodes_.begin(), nodes_.end());
    for (long bin = 0, cell = 0; bin <= kBins * cells; ++bin) {
      while (cell + 1 < cells && single_[cell + 1] <= static_cast<float>(bin) / kBins) ++cell;
      first_.push_back(static_cast<int>(cell));
    }
    for (long i = 0; i + 1 < points(); ++i)
      inverse_spacing_.push_back(static_cast<float>(scale_ / (place(i + 1) - place(i))));
  }

  long points() const { return sample_count(cells_, vertex_); }

  // World coordinate, and change of it, as distance along the axis.
  double along(double world) const { return (world - lo_) * scale_; }
  double scale() const { return scale_; }
  double lo() const { return lo_; }

  // Distance along the axis at which lattice point i lies.
  double place(long i) const {
    const double c = sample_unit(i, cells_, vertex_) * static_cast<double>(cells_);
    const long cell = std::min(static_cast<long>(c), cells_ - 1);
    return nodes_[cell] + (c - static_cast<double>(cell)) * (nodes_[cell + 1] - nodes_[cell]);
  }

  // Lattice coordinate, 0 .. points() - 1.
  vfloat lattice(vfloat along) const {
    const vfloat zero{};
    const vfloat n = splat(static_cast<float>(cells_));
    vfloat c = least(most(along, zero), n);
    if (!uniform_) c = cell_coordinate(c);
    if (vertex_) return c;
    // The outermost half cells are one step of the lattice each.
    const vfloat half = splat(0.5f);
    return c + half - most(half - c, zero) + most(c - (n - half), zero);
  }

  // 1 / world distance between lattice points i and i + 1.
  const float* inverse_spacing() const { return inverse_spacing_.data(); }

 private:
  static constexpr int kBins = 4;  // per mean cell: where the search for a cell begins

  vfloat cell_coordinate(vfloat along) const {
    vfloat c;
    for (int i = 0; i < kLanes; ++i) {
      const float a = along[i];
      long cell = first_[static_cast<long>(a * kBins)];
      while (cell + 1 < cells_ && single_[cell + 1] <= a) ++cell;
      const float within = std::min((a - single_[cell]) * inverse_[cell], 1.0f);
      c[i] = static_cast<float>(cell) + within;
    }
    return c;
  }

  double lo_, scale_;
  long cells_;
  bool vertex_, uniform_ = true;
  std::vector<double> nodes_;  // along the axis
  std::vector<float> single_, inverse_, inverse_spacing_;
  std::vector<int> first_;
};

}  // namespace insitu
