// Sources of a block's bricks: a network, or a raw block.
//
// In: a box of lattice points. Out: their values, one scalar each.
#pragma once

#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "evaluate.hpp"
#include "grid_sampler.hpp"
#include "sample_axis.hpp"

namespace insitu {

using Index3 = std::array<long, 3>;  // x, y, z

constexpr int kMagnitude = -1;  // in place of a component: the length of the vector

struct BrickSource {
  virtual ~BrickSource() = default;
  virtual int components() const = 0;
  // Values at lattice points lo <= i < hi, numbered along x, then y, then z. Any thread may call.
  virtual void decode(const Index3& lo, const Index3& hi, int component, float* out) const = 0;
};

// value(c) of `components` values to one scalar.
template <typename Value>
inline float scalar_of(int components, int component, Value&& value) {
  if (component != kMagnitude) return static_cast<float>(value(component));
  double sum = 0.0;
  for (int c = 0; c < components; ++c) sum += value(c) * value(c);
  return static_cast<float>(std::sqrt(sum));
}

class NetworkBricks : public BrickSource {
 public:
  // network: null for a constant block. params stay the caller's. cells: x, y, z.
  NetworkBricks(std::shared_ptr<const Network> network, const float* params,
                std::vector<double> low, std::vector<double> extent, const Index3& cells,
                bool vertex)
      : network_(std::move(network)),
        params_(params),
        low_(std::move(low)),
        extent_(std::move(extent)),
        cells_(cells),
        vertex_(vertex) {}

  int components() const override { return static_cast<int>(low_.size()); }

  void decode(const Index3& lo, const Index3& hi, int component, float* out) const override {
    const int count = components();
    std::vector<float> axes[3];
    for (int a = 0; a < 3; ++a)
      for (long i = lo[a]; i < hi[a]; ++i)
        axes[a].push_back(static_cast<float>(sample_unit(i, cells_[a], vertex_)));
    const Grid grid{axes[0].data(), axes[1].data(), axes[2].data(),
                    hi[0] - lo[0],  hi[1] - lo[1],  hi[2] - lo[2]};
    if (!network_) {
      const float value = scalar_of(count, component, [&](int c) { return low_[c]; });
      std::fill(out, out + grid.size(), value);
      return;
    }
    insitu::decode(*network_, params_, grid, {0, grid.size()},
                   [&](long begin, long n, const float* outputs) {
                     for (long s = 0; s < n; ++s)
                       out[begin + s] = scalar_of(count, component, [&](int c) {
                         return low_[c] + extent_[c] * static_cast<double>(outputs[c * kChunk + s]);
                       });
                   });
  }

 private:
  std::shared_ptr<const Network> network_;
  const float* params_;
  std::vector<double> low_, extent_;
  Index3 cells_;
  bool vertex_;
};

class GridBricks : public BrickSource {
 public:
  explicit GridBricks(std::shared_ptr<const GridSampler> grid) : grid_(std::move(grid)) {}

  int components() const override { return grid_->components(); }

  void decode(const Index3& lo, const Index3& hi, int component, float* out) const override {
    std::vector<Place> places[3];
    for (int a = 0; a < 3; ++a)
      for (long i = lo[a]; i < hi[a]; ++i) places[a].push_back(place(2 - a, i));
    for (const Place& z : places[2])
      for (const Place& y : places[1])
        for (const Place& x : places[0])
          *out++ = scalar_of(components(), component, [&](int c) { return value(c, z, y, x); });
  }

 private:
  // Of a lattice point: a sample, or half way from one to the next.
  struct Place {
    long sample;
    bool between;
  };

  // axis: of the sampler, z y x.
  Place place(int axis, long i) const {
    const long low = grid_->ghost_low[axis];
    if (grid_->vertex) return {low + i, false};
    // At a face the values of both sides count alike; without a ghost layer the owned one is all.
    if (i == 0) return {std::max(low - 1, 0L), low > 0};
    if (i <= grid_->cells[axis]) return {low + i - 1, false};
    return {low + i - 2, low + grid_->cells[axis] < grid_->shape[axis]};
  }

  double value(int c, const Place& z, const Place& y, const Place& x) const {
    const Component& part = grid_->parts[c];
    double sum = 0.0;
    int corners = 0;
    for (int dz = 0; dz <= z.between; ++dz)
      for (int dy = 0; dy <= y.between; ++dy)
        for (int dx = 0; dx <= x.between; ++dx, ++corners)
          sum += part.read(part.at(z.sample + dz, y.sample + dy, x.sample + dx));
    return sum / corners;
  }

  std::shared_ptr<const GridSampler> grid_;
};

}  // namespace insitu
