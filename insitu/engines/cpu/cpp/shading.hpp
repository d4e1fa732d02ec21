// Gradient shading: two-sided Lambert and Phong, with a light at the eye.
//
// In: a brick with a margin of one point, samples, the rays' directions. Out: factors of their
// colors.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "trilinear.hpp"

namespace insitu {

class Shading {
 public:
  // inverse_spacing: of the block, x, y, z; see SampleAxis. flat: gradient, in values per world
  // length, at which light is half as strong as on a steep front.
  Shading(std::array<const float*, 3> inverse_spacing, float flat)
      : inverse_spacing_(inverse_spacing), flat_(flat) {}

  // Factor of the colour, and what is added to it per alpha.
  struct Light {
    float diffuse, specular;
  };

  // position, direction: x, y, z arrays of n, padded to whole vectors; position as BrickSampler's.
  // The normal is that of central differences over one lattice step each way (one-sided at the
  // block's faces). With c the cosine between normal and ray, and w = |g| / (|g| + flat), which
  // takes the light away where the field is flat and a normal means nothing:
  // diffuse = 1 - w + w (0.3 + 0.7 c), specular = 0.2 w max(0, 2 c^2 - 1)^16.
  void light(const BrickSampler& brick, const BrickBox& box,
             const std::array<const float*, 3>& position,
             const std::array<const float*, 3>& direction, long n, float* gradient,
             Light* out) const {
    const vfloat one = splat(1.0f);
    for (long i = 0; i < n; i += kLanes) {
      vfloat p[3];
      for (int a = 0; a < 3; ++a) p[a] = load_unaligned(position[a] + i);
      for (int a = 0; a < 3; ++a) {
        const vfloat at = p[a];
        const auto last = static_cast<float>(box.shape[a] - 1);
        const vfloat low = most(at - one, vfloat{}), high = least(at + one, splat(last));
        p[a] = low;
        const vfloat below = brick(p);
        p[a] = high;
        const vfloat slope = (brick(p) - below) / (high - low);
        p[a] = at;
        for (int j = 0; j < kLanes; ++j) {
          const long cell = std::min(static_cast<long>(at[j]), box.shape[a] - 2) + box.first[a];
          gradient[3 * (i + j) + a] = slope[j] * inverse_spacing_[a][cell];
        }
      }
    }
    for (long i = 0; i < n; ++i) {
      const float* g = gradient + 3 * i;
      const float length = std::sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
      const float along = g[0] * direction[0][i] + g[1] * direction[1][i] + g[2] * direction[2][i];
      const float c = length > 0.0f ? std::min(std::abs(along) / length, 1.0f) : 0.0f;
      // Next to a hole the gradient is not finite: no shading there.
      const float w = length < 1e30f && length > 0.0f ? length / (length + flat_) : 0.0f;
      float mirrored = std::max(0.0f, 2.0f * c * c - 1.0f);
      for (int square = 0; square < 4; ++square) mirrored *= mirrored;
      out[i] = w > 0.0f ? Light{1.0f - w + w * (0.3f + 0.7f * c), 0.2f * w * mirrored}
                        : Light{1.0f, 0.0f};
    }
  }

 private:
  std::array<const float*, 3> inverse_spacing_;
  float flat_;
};

}  // namespace insitu
