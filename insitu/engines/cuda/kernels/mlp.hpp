// A network at one point, computed by one thread with all activations in registers.
//
// In: a network whose parameters do not change. Out: outputs; which neurons were active.
#pragma once

#include "block.hpp"
#include "network.hpp"

constexpr int kReadThreads = 128;
// Small matrices travel as a kernel's argument: constant operands of the instructions.
constexpr bool kMlpInArguments = kMlp <= 7168;

struct ReadNetwork {
  const float* params;
  Level levels[kLevels];
  float mlp[kMlpInArguments ? kMlp : 1];
};

DEVICE const float* matrices_of(const ReadNetwork& net) {
  if constexpr (kMlpInArguments) return net.mlp;
  else return net.params;
}

// out[row] = matrix (rows, columns) times in, with `stride` columns stored; unrolled where all
// values stay in registers.
template <int kRows, int kColumns, int kStride>
DEVICE void multiply(const float* matrix, const float* in, float* out) {
#pragma unroll(kRows* kColumns <= 1024 ? kRows : 1)
  for (int row = 0; row < kRows; ++row) {
    float sum = 0.0f;
    UNROLL
    for (int column = 0; column < kColumns; ++column)
      sum = fmaf(matrix[row * kStride + column], in[column], sum);
    out[row] = sum;
  }
}

// out[column] = in times the matrix.
template <int kRows, int kColumns, int kStride>
DEVICE void multiply_transposed(const float* matrix, const float* in, float* out) {
  UNROLL
  for (int column = 0; column < kColumns; ++column) out[column] = 0.0f;
#pragma unroll(kRows* kColumns <= 1024 ? kRows : 1)
  for (int row = 0; row < kRows; ++row) UNROLL
  for (int column = 0; column < kColumns; ++column)
    out[column] = fmaf(matrix[row * kStride + column], in[row], out[column]);
}

DEVICE void encode_point(const ReadNetwork& net, Point p, float* features) {
  UNROLL
  for (int l = 0; l < kLevels; ++l)
    encode_level<false>(net.levels[l], net.params, p, features + l * kFeatures);
  encode_waves(p, features + kGridFeatures);
}

// Which hidden neurons are active.
struct Active {
  unsigned bits[kHidden][(kWidth + 31) / 32];
};

template <bool kRemember>
DEVICE void forward(const ReadNetwork& net, Point p, float* features, float* out, Active& active) {
  encode_point(net, p, features);
  const float* mlp = matrices_of(net);
  float layer[kWidth];
  multiply<kWidth, kEncoded, kInputs>(mlp, features, layer);
#pragma unroll 1
  for (int h = 0;; ++h) {
    if (kRemember)
      for (int w = 0; w < (kWidth + 31) / 32; ++w) active.bits[h][w] = 0;
    UNROLL
    for (int n = 0; n < kWidth; ++n) {
      if (kRemember && layer[n] > 0.0f) active.bits[h][n / 32] |= 1u << n % 32;
      layer[n] = fmaxf(layer[n], 0.0f);
    }
    if (h + 1 >= kHidden) break;
    float next[kWidth];
    multiply<kWidth, kWidth, kWidth>(mlp + kHiddenOffset + h * kWidth * kWidth, layer, next);
    UNROLL
    for (int n = 0; n < kWidth; ++n) layer[n] = next[n];
  }
  multiply<kOutputs, kWidth, kWidth>(mlp + kLastOffset, layer, out);
}

DEVICE void evaluate_point(const ReadNetwork& net, Point p, float* out) {
  float features[kEncoded];
  Active none;
  forward<false>(net, p, features, out, none);
}
