// The core's peak FMA rate and how much of it the MLP's kernels reach, interleaved in one run.
//
//   kernels ROUNDS < networks     one network per line: name L F log2_T base growth neurons layers
//
// Prints JSON: per round GFLOP/s of the peak loops, of the MLP forward and backward per network.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#include "mlp.hpp"

using namespace insitu;

// GFLOP/s of `work`, which does `flop` operations, over a few milliseconds.
template <typename Work>
static double rate(double flop, Work&& work) {
  using clock = std::chrono::steady_clock;
  const auto start = clock::now();
  double seconds = 0.0;
  long times = 0;
  while (seconds < 4e-3) {
    for (int i = 0; i < 16; ++i) work();
    times += 16;
    seconds = std::chrono::duration<double>(clock::now() - start).count();
  }
  return flop * static_cast<double>(times) / seconds * 1e-9;
}

constexpr int kRepeats = 1024;
static float sink;

static double peak_fma() {
  constexpr int kSumsAtOnce = 12;  // enough independent sums to hide the latency
  vfloat sums[kSumsAtOnce];
  for (auto& s : sums) s = splat(1.0f);
  asm volatile("" : "+m"(sums));  // or the compiler sees that all are equal
  vfloat a = splat(0.999f), b = splat(1e-3f);
  asm volatile("" : "+m"(a), "+m"(b));
  const double result = rate(2.0 * kLanes * kSumsAtOnce * kRepeats, [&] {
    for (int i = 0; i < kRepeats; ++i)
      for (auto& s : sums) s = s * a + b;
    asm volatile("" : : "m"(a));
  });
  for (const auto& s : sums) sink += s[0];
  return result;
}

static double peak_bf16() {
#if defined(__AVX512BF16__)
  constexpr int kSumsAtOnce = 24;  // the latency is longer
  const __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.25f));
  return rate(4.0 * 16 * kSumsAtOnce * kRepeats, [&] {
    __m512 sums[kSumsAtOnce];
    for (int i = 0; i < kSumsAtOnce; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
    for (int i = 0; i < kRepeats; ++i)
      for (auto& s : sums) s = _mm512_dpbf16_ps(s, a, a);
    __m512 total = sums[0];
    for (const auto& s : sums) total = _mm512_add_ps(total, s);
    sink += _mm512_cvtss_f32(total);
  });
#else
  return 0.0;
#endif
}

struct Shape {
  std::string name;
  Network network;
};

int main(int, char** argv) {
  const int rounds = std::atoi(argv[1]);
  std::vector<Shape> shapes;
  std::string name;
  int features, table, neurons, layers, levels;
  while (std::cin >> name >> features >> table >> neurons >> layers >> levels) {
    std::vector<float> scales(levels);
    for (float& scale : scales) std::cin >> scale;
    shapes.push_back({name, Network(scales, features, table, neurons, layers, 1)});
  }
  std::printf("[");
  for (int round = 0; round < rounds; ++round) {
    std::printf("%s{\"fma\": %g, \"bf16\": %g", round ? ", " : "", peak_fma(), peak_bf16());
    for (const Shape& shape : shapes) {
      const Network& net = shape.network;
      std::vector<float> values(net.n_params);
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = 0.1f * std::sin(static_cast<float>(i));
      Buffer<float> params(net.n_params), gradient(net.n_params);
      std::memcpy(params.data(), values.data(), values.size() * sizeof(float));
      const Transposed transposed(net, params.data());
      Workspace work(net, true);
      for (std::size_t i = 0; i < work.encoded.size(); ++i)
        work.encoded[i] = std::cos(static_cast<float>(i));
      double flop = 2.0 * net.n_neurons;  // of the last layer, for one output
      for (int i = 0; i < net.n_hidden_layers; ++i)
        flop += 2.0 * net.matrices[i].rows * net.matrices[i].cols;
      flop *= kChunk;
      forward_mlp(net, params.data(), transposed, work);
      for (int s = 0; s < kChunk; ++s) work.output_gradient[s] = 1e-3f;
      const double forward = rate(flop, [&] { forward_mlp(net, params.data(), transposed, work); });
      const double backward = rate(
          2.0 * flop, [&] { sink += *backward_mlp(net, params.data(), work, gradient.data()); });
      std::printf(", \"%s\": [%g, %g]", shape.name.c_str(), forward, backward);
    }
    std::printf("}");
  }
  std::printf("]\n");
  return sink == 42.0f;
}
