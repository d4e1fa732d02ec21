// Matrix products of the MLP, for one chunk of samples.
//
// In: weights, activations. Out: activations; backward, gradients of both.
//
// Activations are stored in panels: 16 features of one sample are contiguous (one AVX-512 vector),
// followed by the other samples of the chunk, then by the next 16 features. The encoding writes
// features in place, weights are read as vectors of outputs, and the gradient of the weights needs
// no sum across a vector.
#pragma once

#include "simd.hpp"

namespace insitu {

constexpr int kChunk = 128;  // samples per chunk: activations of all layers stay in the L1/L2 cache
constexpr int kPanel = 16;   // features per panel; all layers are padded to a multiple of it
constexpr int kPanelVectors = kPanel / kLanes;
constexpr int kPanelSize = kPanel * kChunk;  // values

// This many vectors of sums fit into registers.
#if defined(__AVX512F__)
constexpr int kSums = 16;
#else
constexpr int kSums = 8;
#endif

enum class Cut {
  kNone,
  kRelu,  // negative values become 0
  kMask   // 0 where the activation `mask` is 0: the derivative of kRelu
};

// P panels of out for S samples: out[s] = in[s] M. in: all `depth` / 16 panels.
template <int P, Cut cut>
inline void multiply_tile(const float* m, long stride, int depth, const float* in,
                          const float* mask, float* out) {
  constexpr int S = kSums / (P * kPanelVectors), V = P * kPanelVectors;
  vfloat sums[S][V];
  for (int s = 0; s < S; ++s)
    for (int v = 0; v < V; ++v) sums[s][v] = vfloat{};  // = {} would put the array in memory
  const float* end = in + depth / kPanel * kPanelSize;
  do {
    for (int k = 0; k < kPanel; ++k, m += stride) {
      vfloat weights[V];
      for (int v = 0; v < V; ++v) weights[v] = load_unaligned(m + v * kLanes);
      for (int s = 0; s < S; ++s) {
        const vfloat a = splat(in[s * kPanel + k]);
        for (int v = 0; v < V; ++v) sums[s][v] += a * weights[v];
      }
    }
    in += kPanelSize;
  } while (in != end);
  for (int s = 0; s < S; ++s)
    for (int v = 0; v < V; ++v) {
      const int at = v / kPanelVectors * kPanelSize + s * kPanel + v % kPanelVectors * kLanes;
      vfloat value = sums[s][v];
      if constexpr (cut == Cut::kRelu) value = value > vfloat{} ? value : vfloat{};
      if constexpr (cut == Cut::kMask) value = load(mask + at) > vfloat{} ? value : vfloat{};
      store(out + at, value);
    }
}

// out (width) = in (depth) M for each sample of a chunk; M (depth, width) row-major, both multiples
// of 16. mask (width): for Cut::kMask.
template <Cut cut>
inline void multiply(const float* m, int depth, int width, const float* in, const float* mask,
                     float* out) {
  int p = 0;
  const auto panels = [&](auto count) {
    constexpr int P = count.value, S = kSums / (P * kPanelVectors);
    const long at = static_cast<long>(p) * kPanelSize;
    for (int s = 0; s < kChunk; s += S)
      multiply_tile<P, cut>(m + p * kPanel, width, depth, in + s * kPanel, mask + at + s * kPanel,
                            out + at + s * kPanel);
    p += P;
  };
#if defined(__AVX512F__)
  while ((p + 2) * kPanel <= width) panels(std::integral_constant<int, 2>{});
#endif
  while (p * kPanel < width) panels(std::integral_constant<int, 1>{});
}

// dm[r][k] += sum over samples of gradient[s][r] * in[s][k], for R rows and one panel of k.
template <int R>
inline void outer_tile(const float* gradient, const float* in, float* dm, long stride) {
  vfloat sums[R][kPanelVectors];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < kPanelVectors; ++v) sums[r][v] = load(dm + r * stride + v * kLanes);
  for (int s = 0; s < kChunk; ++s) {
    vfloat a[kPanelVectors];
    for (int v = 0; v < kPanelVectors; ++v) a[v] = load(in + s * kPanel + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const vfloat g = splat(gradient[s * kPanel + r]);
      for (int v = 0; v < kPanelVectors; ++v) sums[r][v] += g * a[v];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < kPanelVectors; ++v) store(dm + r * stride + v * kLanes, sums[r][v]);
}

// dm (rows, cols) += gradient (rows)^T in (cols), summed over the chunk.
inline void accumulate_outer(const float* gradient, int rows, const float* in, int cols,
                             float* dm) {
  constexpr int R = kSums / kPanelVectors;
  for (int k = 0; k < cols; k += kPanel)
    for (int r = 0; r < rows; r += R)
      outer_tile<R>(gradient + r / kPanel * kPanelSize + r % kPanel, in + k / kPanel * kPanelSize,
                    dm + static_cast<long>(r) * cols + k, cols);
}

// The last layer has few rows, so its products are dot products.

// out (rows, kChunk) = w in; w (rows, depth).
inline void multiply_last(const float* w, int rows, int depth, const float* in, float* out) {
  for (int r = 0; r < rows; ++r, w += depth)
    for (int s = 0; s < kChunk; s += kLanes) {
      vfloat sums[kLanes] = {};
      for (int k = 0; k < depth; k += kLanes) {
        const vfloat weights = load_unaligned(w + k);
        const float* at = in + k / kPanel * kPanelSize + s * kPanel + k % kPanel;
        for (int i = 0; i < kLanes; ++i) sums[i] += weights * load(at + i * kPanel);
      }
      store(out + r * kChunk + s, sum_each(sums));
    }
}

// below (depth) = w^T gradient where `in` is positive, else 0; gradient (rows, kChunk).
inline void multiply_last_backward(const float* w, int rows, int depth, const float* gradient,
                                   const float* in, float* below) {
  for (int k = 0; k < depth; k += kLanes) {
    const long at = k / kPanel * kPanelSize + k % kPanel;
    for (int s = 0; s < kChunk; ++s) {
      vfloat value{};
      for (int r = 0; r < rows; ++r)
        value += splat(gradient[r * kChunk + s]) * load_unaligned(w + r * depth + k);
      const long i = at + s * kPanel;
      store(below + i, load(in + i) > vfloat{} ? value : vfloat{});
    }
  }
}

// dw (rows, depth) += gradient in^T, summed over the chunk.
inline void accumulate_last(const float* gradient, int rows, const float* in, int depth,
                            float* dw) {
  for (int r = 0; r < rows; ++r)
    for (int k = 0; k < depth; k += kLanes) {
      const float* at = in + k / kPanel * kPanelSize + k % kPanel;
      vfloat sums[4] = {};
      for (int s = 0; s < kChunk; s += 4)
        for (int i = 0; i < 4; ++i)
          sums[i] += splat(gradient[r * kChunk + s + i]) * load(at + (s + i) * kPanel);
      float* to = dw + r * depth + k;
      store(to, load(to) + ((sums[0] + sums[1]) + (sums[2] + sums[3])));
    }
}

}  // namespace insitu
