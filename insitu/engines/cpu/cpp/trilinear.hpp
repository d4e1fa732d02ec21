// Trilinear values of a brick, a vector of points at a time.
#pragma once

#include "bricks.hpp"
#include "simd.hpp"

namespace insitu {

class BrickSampler {
 public:
  BrickSampler(const float* values, const BrickBox& box) : values_(values) {
    for (int a = 0; a < 3; ++a) {
      last_cell_[a] = splat(static_cast<int>(box.shape[a] - 2));
      stride_[a] = static_cast<int>(box.strides()[a]);
    }
  }

  // p: x, y, z in lattice cells from the brick's first point; 0 .. points - 1.
  vfloat operator()(const vfloat* p) const {
    vfloat t[3];
    vint index{};
    for (int a = 0; a < 3; ++a) {
      const vint cell = least(to_int(p[a]), last_cell_[a]);
      t[a] = p[a] - to_float(cell);
      index += cell * stride_[a];
    }
    vfloat edge[4];
    for (int j = 0; j < 4; ++j) {
      vfloat low, high;
      gather_pairs(values_ + (j & 1 ? stride_[1] : 0) + (j & 2 ? stride_[2] : 0), index, low, high);
      edge[j] = low + t[0] * (high - low);
    }
    const vfloat below = edge[0] + t[1] * (edge[1] - edge[0]);
    const vfloat above = edge[2] + t[1] * (edge[3] - edge[2]);
    return below + t[2] * (above - below);
  }

 private:
  const float* values_;
  vint last_cell_[3];
  int stride_[3];
};

}  // namespace insitu
