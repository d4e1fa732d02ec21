// Fully connected layers without bias, for chunks of samples: one row per feature.
//
// In: weights, activations (rows, kChunk). Out: activations; backward, gradients of both.
#pragma once

#include "encoding.hpp"
#include "network.hpp"
#include "simd.hpp"

namespace insitu {

// Tile of the matrix products: so many rows times so many vectors stay in registers.
#if defined(__AVX512F__)
constexpr int kTileRows = 4, kTileVectors = 4;
#else
constexpr int kTileRows = 4, kTileVectors = 2;
#endif
constexpr int kTileSamples = kTileVectors * kLanes;
static_assert(kChunk % kTileSamples == 0, "a chunk is a whole number of tiles");

// out[r][s] = sum_k w[r * row_stride + k * col_stride] * in[k][s], for R rows and one tile of s;
// with kRelu, what is negative becomes 0.
template <int R, bool kRelu>
inline void multiply_tile(const float* w, long row_stride, long col_stride, int depth,
                          const float* in, float* out) {
  vfloat acc[R][kTileVectors] = {};
  for (int k = 0; k < depth; ++k) {
    vfloat a[kTileVectors];
    for (int v = 0; v < kTileVectors; ++v) a[v] = load(in + k * kChunk + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const vfloat weight = splat(w[r * row_stride + k * col_stride]);
      for (int v = 0; v < kTileVectors; ++v) acc[r][v] += weight * a[v];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < kTileVectors; ++v) {
      const vfloat value = acc[r][v];
      store(out + r * kChunk + v * kLanes, kRelu ? (value > vfloat{} ? value : vfloat{}) : value);
    }
}

// out (rows, kChunk) = W in, W given by strides so that its transpose needs no copy.
template <bool kRelu = false>
inline void multiply(const float* w, long row_stride, long col_stride, int rows, int depth,
                     const float* in, float* out) {
  for (int s = 0; s < kChunk; s += kTileSamples) {
    int r = 0;
    for (; r + kTileRows <= rows; r += kTileRows)
      multiply_tile<kTileRows, kRelu>(w + r * row_stride, row_stride, col_stride, depth, in + s,
                               out + r * kChunk + s);
    for (; r < rows; ++r)
      multiply_tile<1, kRelu>(w + r * row_stride, row_stride, col_stride, depth, in + s,
                       out + r * kChunk + s);
  }
}

// Zeroes the gradient where the activation was cut off.
inline void relu_backward(float* gradient, const float* activation, int rows) {
  for (int i = 0; i < rows * kChunk; ++i)
    gradient[i] = activation[i] > 0.0f ? gradient[i] : 0.0f;
}

// dw[r][k] += sum_s gradient[r][s] * in[k][s], for an R x K tile of dw.
template <int R, int K>
inline void outer_tile(const float* gradient, const float* in, float* dw, long stride) {
  vfloat acc[R][K] = {};
  for (int s = 0; s < kChunk; s += kLanes) {
    vfloat a[K];
    for (int k = 0; k < K; ++k) a[k] = load(in + k * kChunk + s);
    for (int r = 0; r < R; ++r) {
      const vfloat g = load(gradient + r * kChunk + s);
      for (int k = 0; k < K; ++k) acc[r][k] += g * a[k];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int k = 0; k < K; ++k) dw[r * stride + k] += sum(acc[r][k]);
}

// cols is a multiple of 4 (all layers are padded to 16).
inline void accumulate_outer(const float* gradient, int rows, const float* in, int cols,
                             float* dw) {
  for (int k = 0; k < cols; k += 4) {
    int r = 0;
    for (; r + 4 <= rows; r += 4)
      outer_tile<4, 4>(gradient + r * kChunk, in + k * kChunk, dw + r * cols + k, cols);
    for (; r < rows; ++r)
      outer_tile<1, 4>(gradient + r * kChunk, in + k * kChunk, dw + r * cols + k, cols);
  }
}

// Everything one chunk needs on its way through the network and back.
class Workspace {
 public:
  explicit Workspace(const Network& net, bool with_backward = false)
      : points(3 * kChunk), encoded(static_cast<std::size_t>(net.n_inputs) * kChunk),
        hidden(static_cast<std::size_t>(net.n_hidden_layers) * net.n_neurons * kChunk),
        output(static_cast<std::size_t>(net.n_outputs) * kChunk), corners(net.n_levels) {
    if (!with_backward) return;
    const std::size_t widest = static_cast<std::size_t>(std::max(net.n_inputs, net.n_neurons));
    output_gradient = Buffer<float>(output.size());
    gradient_a = Buffer<float>(widest * kChunk);
    gradient_b = Buffer<float>(widest * kChunk);
  }

  float* layer(const Network& net, int i) {
    return hidden.data() + static_cast<std::size_t>(i) * net.n_neurons * kChunk;
  }

  Buffer<float> points;           // (3, kChunk)
  Buffer<float> encoded;          // (n_inputs, kChunk)
  Buffer<float> hidden;           // (n_hidden_layers, n_neurons, kChunk), after ReLU
  Buffer<float> output;           // (n_outputs, kChunk)
  Buffer<float> output_gradient;  // (n_outputs, kChunk)
  Buffer<float> gradient_a, gradient_b;
  Buffer<Corners> corners;  // one per level
};

// work.encoded -> work.output.
inline void forward_mlp(const Network& net, const float* params, Workspace& work) {
  const float* in = work.encoded.data();
  for (int i = 0; i < net.n_hidden_layers; ++i) {
    const Matrix& m = net.matrices[i];
    multiply<true>(params + m.offset, m.cols, 1, m.rows, m.cols, in, work.layer(net, i));
    in = work.layer(net, i);
  }
  const Matrix& last = net.matrices.back();
  multiply(params + last.offset, last.cols, 1, net.n_outputs, last.cols, in, work.output.data());
}

// work.points -> work.output.
template <int F>
inline void forward(const Network& net, const float* params, Workspace& work) {
  encode_levels<F>(net, params, work.points.data(), work.corners.data(), work.encoded.data());
  forward_mlp(net, params, work);
}

// work.output_gradient -> gradient of the encoding, returned as (n_inputs, kChunk) in the
// workspace; adds the weights' gradient to params_gradient unless that is null.
inline float* backward_mlp(const Network& net, const float* params, Workspace& work,
                           float* params_gradient) {
  const float* above = work.output_gradient.data();
  int above_rows = net.n_outputs;
  float* spare[2] = {work.gradient_a.data(), work.gradient_b.data()};
  for (int i = net.n_hidden_layers; i >= 0; --i) {
    const Matrix& m = net.matrices[i];
    const float* in = i > 0 ? work.layer(net, i - 1) : work.encoded.data();
    if (params_gradient) accumulate_outer(above, above_rows, in, m.cols, params_gradient + m.offset);
    float* below = spare[i & 1];
    multiply(params + m.offset, 1, m.cols, m.cols, above_rows, above, below);
    if (i > 0) relu_backward(below, in, m.cols);
    above = below;
    above_rows = m.cols;
  }
  return spare[0];
}

}  // namespace insitu
