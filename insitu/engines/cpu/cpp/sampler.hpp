// What the ray marcher reads from: anything that gives values at points of the unit cube.
//
// In: points in unit coordinates of one partition. Out: physical values.
#pragma once

namespace insitu {

struct Sampler {
  virtual ~Sampler() = default;
  // Values per point: 1 for a scalar field, 3 for a vector field.
  virtual int components() const = 0;
  // unit_points: n x 3 (x, y, z) in [0,1]; out: n x components(). Thread-safe and re-entrant.
  virtual void sample(const float* unit_points, long n, float* out) const = 0;
};

}  // namespace insitu
