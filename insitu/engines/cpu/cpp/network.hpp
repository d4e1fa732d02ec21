// Architecture of the network and layout of its parameters, as in tiny-cuda-nn.
//
// In: options named as in tiny-cuda-nn's configuration, for a hash grid; or one dense feature grid
// (fV-SRN); or grids with transforms (AMGSRN). Out: levels, offsets, number of parameters.
//
// One vector of parameters: first the MLP's matrices, row-major (outputs x inputs), inputs of the
// first and outputs of the last padded to a multiple of 16; then the levels of the grid, coarse
// to fine, each `size` entries of `features` values. Grids with transforms have these, 12 values
// each, between the two.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace insitu {

constexpr int kAlignment = 16;  // tiny-cuda-nn pads the MLP's inputs and outputs to this

inline int pad(int n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

enum class Lookup {
  kHashed,   // index = hash of the vertex
  kWrapped,  // x + y R + z R^2, wrapped: the half-cell offset lets a cell leave the grid by one
  kAligned,  // the same with a resolution per axis; vertices lie on the faces, nothing is left
  kMoved     // in its own coordinates, by a transform among the parameters; 0 outside of its cube
};

struct Level {
  float scale[3];          // along x, y, z: grid position = u * scale + shift
  float shift;             // 0.5, or 0 for kAligned; of kMoved, u is in -1..1
  uint32_t resolution[3];  // vertices
  uint32_t size;           // entries
  Lookup lookup;
  std::size_t offset;         // of its first value, in the parameter vector
  std::size_t transform = 0;  // of kMoved: where its rows (A | t) start
};

struct Matrix {
  int rows, cols;
  std::size_t offset;
};

struct Network {
  int n_levels, features;
  int n_neurons, n_hidden_layers, n_outputs;
  int n_moved = 0;        // levels with a transform: none or all of them
  int n_frequencies = 0;  // Fourier features that follow the levels', 6 each (fourier.hpp)

  int n_inputs;  // of the MLP, padded
  std::vector<Level> levels;
  std::vector<Matrix> matrices;
  std::size_t n_mlp_params = 0, n_params = 0;

  // scales: of the levels of a hash grid, coarse to fine. They come from the model: rounding
  // decides about the number of parameters, so they are computed in one place.
  Network(const std::vector<float>& scales, int features_, int log2_hashmap_size, int n_neurons_,
          int n_hidden_layers_, int n_outputs_)
      : Network(static_cast<int>(scales.size()), features_, n_neurons_, n_hidden_layers_,
                n_outputs_) {
    if (log2_hashmap_size < 3 || log2_hashmap_size > 28)
      throw std::invalid_argument("log2_hashmap_size is not in 3..28");
    lay_out_mlp();
    lay_out_grid(scales, log2_hashmap_size);
  }

  // One dense grid of features, and Fourier features. resolution: along x, y, z.
  static Network dense_grid(const std::array<int, 3>& resolution, int features, int n_frequencies,
                            int n_neurons, int n_hidden_layers, int n_outputs) {
    Network net(1, features, n_neurons, n_hidden_layers, n_outputs);
    if (n_frequencies < 0 || n_frequencies > 12)
      throw std::invalid_argument("n_frequencies is not in 0..12");
    net.n_frequencies = n_frequencies;
    net.n_inputs = pad(features + 6 * n_frequencies);
    net.lay_out_mlp();
    Level level{{}, 0.0f, {}, 1, Lookup::kAligned, net.n_mlp_params};
    double size = 1.0;
    for (int a = 0; a < 3; ++a) {
      if (resolution[a] < 2) throw std::invalid_argument("resolution is not >= 2");
      size *= resolution[a];
      if (size > (1 << 28)) throw std::invalid_argument("resolution: more than 2^28 vertices");
      level.resolution[a] = static_cast<uint32_t>(resolution[a]);
      level.scale[a] = static_cast<float>(resolution[a] - 1);
      level.size *= level.resolution[a];
    }
    net.levels.push_back(level);
    net.n_params = net.n_mlp_params + static_cast<std::size_t>(level.size) * features;
    return net;
  }

  // Grids with `resolution` vertices an axis, each with a transform.
  static Network adaptive_grid(int n_grids, int resolution, int features, int n_neurons,
                               int n_hidden_layers, int n_outputs) {
    Network net(n_grids, features, n_neurons, n_hidden_layers, n_outputs);
    if (resolution < 2 || resolution > 1024)
      throw std::invalid_argument("resolution is not in 2..1024");
    net.n_moved = n_grids;
    net.lay_out_mlp();
    const auto r = static_cast<uint32_t>(resolution);
    net.n_params = net.n_mlp_params + static_cast<std::size_t>(12 * n_grids);
    for (int g = 0; g < n_grids; ++g) {
      const float scale = 0.5f * static_cast<float>(resolution - 1);
      const std::size_t transform = net.n_mlp_params + static_cast<std::size_t>(12 * g);
      net.levels.push_back({{scale, scale, scale},
                            scale,
                            {r, r, r},
                            r * r * r,
                            Lookup::kMoved,
                            net.n_params,
                            transform});
      net.n_params += static_cast<std::size_t>(r) * r * r * features;
    }
    return net;
  }

 private:
  // Without a layout.
  Network(int n_levels_, int features_, int n_neurons_, int n_hidden_layers_, int n_outputs_)
      : n_levels(n_levels_),
        features(features_),
        n_neurons(n_neurons_),
        n_hidden_layers(n_hidden_layers_),
        n_outputs(n_outputs_),
        n_inputs(pad(n_levels_ * features_)) {
    check();
  }

  void check() const {
    if (n_levels < 1 || n_levels > 32) throw std::invalid_argument("n_levels is not in 1..32");
    if (features != 1 && features != 2 && features != 4 && features != 8)
      throw std::invalid_argument("n_features_per_level is not one of 1, 2, 4, 8");
    if (n_neurons < 16 || n_neurons > 256 || n_neurons % 16)
      throw std::invalid_argument("n_neurons is not a multiple of 16 in 16..256");
    if (n_hidden_layers < 1) throw std::invalid_argument("n_hidden_layers is not >= 1");
    if (n_outputs < 1 || n_outputs > 16) throw std::invalid_argument("n_outputs is not in 1..16");
  }

  void add_matrix(int rows, int cols) {
    matrices.push_back({rows, cols, n_mlp_params});
    n_mlp_params += static_cast<std::size_t>(rows) * cols;
  }

  void lay_out_mlp() {
    add_matrix(n_neurons, n_inputs);
    for (int i = 1; i < n_hidden_layers; ++i) add_matrix(n_neurons, n_neurons);
    add_matrix(pad(n_outputs), n_neurons);
  }

  void lay_out_grid(const std::vector<float>& scales, int log2_hashmap_size) {
    n_params = n_mlp_params;
    for (const float scale : scales) {
      const double r = std::ceil(scale) + 1.0;
      if (!(r >= 1.0)) throw std::invalid_argument("scales are not >= 0");
      if (r > (1 << 20)) throw std::invalid_argument("the finest level is finer than 2^20");
      const double dense = r * r * r;
      const double aligned = std::ceil(dense / 8.0) * 8.0;
      const double table = std::ldexp(1.0, log2_hashmap_size);
      // 1625 is the largest resolution whose cube fits 32 bits; tiny-cuda-nn hashes beyond it.
      const bool hashed = r > 1625.0 || std::min(aligned, table) < dense;
      const auto size = static_cast<uint32_t>(std::min(aligned, table));
      const auto resolution = static_cast<uint32_t>(r);
      levels.push_back({{scale, scale, scale},
                        0.5f,
                        {resolution, resolution, resolution},
                        size,
                        hashed ? Lookup::kHashed : Lookup::kWrapped,
                        n_params});
      n_params += static_cast<std::size_t>(size) * features;
    }
  }
};

}  // namespace insitu
