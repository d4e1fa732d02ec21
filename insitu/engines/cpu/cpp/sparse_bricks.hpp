// Bricks of a sparse grid, for the ray marcher.
//
// In: a box of lattice points. Out: their values, one scalar each, read from the levels.
#pragma once

#include <memory>
#include <vector>

#include "brick_source.hpp"
#include "sparse_reader.hpp"

namespace insitu {

class SparseBricks : public BrickSource {
 public:
  // Values are low + extent * output. cells: x, y, z.
  SparseBricks(std::shared_ptr<const sparse::Reader> reader, std::vector<double> low,
               std::vector<double> extent, const Index3& cells, bool vertex)
      : reader_(std::move(reader)),
        low_(std::move(low)),
        extent_(std::move(extent)),
        cells_(cells),
        vertex_(vertex) {}

  int components() const override { return static_cast<int>(low_.size()); }

  void decode(const Index3& lo, const Index3& hi, int component, float* out) const override {
    std::vector<float> axes[3];
    for (int a = 0; a < 3; ++a)
      for (long i = lo[a]; i < hi[a]; ++i)
        axes[a].push_back(static_cast<float>(sample_unit(i, cells_[a], vertex_)));
    const long nx = hi[0] - lo[0], ny = hi[1] - lo[1], nz = hi[2] - lo[2];
    const long count = nx * ny * nz, n = components();
    std::vector<float> outputs(static_cast<std::size_t>(count * n));
    reader_->grid(axes[0].data(), nx, axes[1].data(), ny, axes[2].data(), 0, ny * nz,
                  outputs.data());
    for (long s = 0; s < count; ++s)
      out[s] = scalar_of(static_cast<int>(n), component, [&](int c) {
        return low_[c] + extent_[c] * static_cast<double>(outputs[s * n + c]);
      });
  }

 private:
  std::shared_ptr<const sparse::Reader> reader_;
  std::vector<double> low_, extent_;
  Index3 cells_;
  bool vertex_;
};

}  // namespace insitu
