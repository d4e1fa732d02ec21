// Derivatives of a network's outputs by x, y, z.
//
// In: `ReadArguments`. Out: (n, outputs, 3).
#pragma once

#include "points.hpp"

KERNEL(gradient, ReadArguments, kReadThreads) {
  const float* mlp = matrices_of(arguments.net);
  const int64 step = static_cast<int64>(block_count()) * kReadThreads;
  for (int64 i = static_cast<int64>(block_index()) * kReadThreads + thread_index(); i < arguments.n;
       i += step) {
    const Point p = point_number(arguments, i);
    float features[kEncoded], out[kOutputs];
    Active active;
    forward<true>(arguments.net, p, features, out, active);
#pragma unroll 1
    for (int o = 0; o < kOutputs; ++o) {
      float above[kWidth];
      UNROLL
      for (int n = 0; n < kWidth; ++n) above[n] = mlp[kLastOffset + o * kWidth + n];
#pragma unroll 1
      for (int h = kHidden - 1;; --h) {
        UNROLL
        for (int n = 0; n < kWidth; ++n)
          if (!(active.bits[h][n / 32] >> n % 32 & 1)) above[n] = 0.0f;
        if (h == 0) break;
        float below[kWidth];
        multiply_transposed<kWidth, kWidth, kWidth>(mlp + kHiddenOffset + (h - 1) * kWidth * kWidth,
                                                    above, below);
        UNROLL
        for (int n = 0; n < kWidth; ++n) above[n] = below[n];
      }
      float by_feature[kEncoded], slopes[3] = {0.0f, 0.0f, 0.0f};
      multiply_transposed<kWidth, kEncoded, kInputs>(mlp, above, by_feature);
      UNROLL
      for (int l = 0; l < kLevels; ++l)
        add_level_slopes(arguments.net.levels[l], arguments.net.params, p,
                         by_feature + l * kFeatures, slopes);
      add_wave_slopes(features + kGridFeatures, by_feature + kGridFeatures, slopes);
      UNROLL
      for (int d = 0; d < 3; ++d) arguments.out[(i * kOutputs + o) * 3 + d] = slopes[d];
    }
  }
}
