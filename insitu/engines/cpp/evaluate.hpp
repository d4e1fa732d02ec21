// Reading a trained network: values and gradients at points, values on a grid, errors.
//
// In: network, parameters, points of the unit cube. Out: normalised outputs.
#pragma once

#include <memory>
#include <vector>

#include "grid_sampler.hpp"
#include "mlp.hpp"
#include "rows.hpp"

namespace insitu {

// Transposes up to kChunk points (n, 3) into the workspace; the rest repeats the last one.
inline void load_points(const float* points, long n, Workspace& work) {
  for (long s = 0; s < kChunk; ++s)
    for (int a = 0; a < 3; ++a)
      work.points[a * kChunk + s] = points[3 * std::min(s, n - 1) + a];
}

// out (n, n_outputs).
inline void evaluate(const Network& net, const float* params, const float* points, long n,
                     Workspace& work, float* out) {
  const Transposed transposed(net, params);
  with_features(net.features, [&](auto features) {
    for (long begin = 0; begin < n; begin += kChunk) {
      const long count = std::min<long>(kChunk, n - begin);
      load_points(points + 3 * begin, count, work);
      forward<features.value>(net, params, transposed, work);
      for (int o = 0; o < net.n_outputs; ++o)
        for (long s = 0; s < count; ++s)
          out[(begin + s) * net.n_outputs + o] = work.output[o * kChunk + s];
    }
  });
}

// out (n, n_outputs, 3): derivative of each output along x, y, z of the unit cube.
inline void evaluate_gradient(const Network& net, const float* params, const float* points,
                              long n, Workspace& work, float* out) {
  Buffer<float> slope(3 * kChunk);
  const Transposed transposed(net, params);
  with_features(net.features, [&](auto features) {
    for (long begin = 0; begin < n; begin += kChunk) {
      const long count = std::min<long>(kChunk, n - begin);
      load_points(points + 3 * begin, count, work);
      forward<features.value>(net, params, transposed, work);
      for (int o = 0; o < net.n_outputs; ++o) {
        float* one = work.output_gradient.data() + o * kChunk;  // the other rows stay zero
        std::fill(one, one + kChunk, 1.0f);
        const float* encoding_gradient = backward_mlp(net, params, work, nullptr);
        std::fill(one, one + kChunk, 0.0f);
        point_gradient<features.value>(net, params, work.points.data(), work.corners.data(),
                                       encoding_gradient, slope.data());
        for (long s = 0; s < count; ++s)
          for (int a = 0; a < 3; ++a)
            out[((begin + s) * net.n_outputs + o) * 3 + a] = slope[a * kChunk + s];
      }
    }
  });
}

// Values on the grid xs x ys x zs of unit coordinates, handed out a chunk at a time as
// sink(first index, count, work): nothing of the size of the grid is held here.
template <typename Sink>
inline void for_each_grid_chunk(const Network& net, const float* params, const float* xs, long nx,
                                const float* ys, long ny, const float* zs, long nz,
                                Workspace& work, Sink&& sink) {
  with_features(net.features, [&](auto features) {
    const long n = nx * ny * nz;
    const Transposed transposed(net, params);
    for (long begin = 0; begin < n; begin += kChunk) {
      const long count = std::min<long>(kChunk, n - begin);
      encode_grid_chunk<features.value>(net, params, xs, nx, ys, ny, zs, begin, count,
                                        work.encoded.data());
      forward_mlp(net, params, transposed, work);
      sink(begin, count, work);
    }
  });
}

// Error of the network against the owned samples of one component, in the field's own units.
struct Errors {
  double sum_of_squares = 0.0, max = 0.0;
  long finite = 0;
};

inline std::vector<float> sample_coordinates(const GridSampler& block, int axis) {
  std::vector<float> u(block.owned[axis]);
  for (long i = 0; i < block.owned[axis]; ++i)
    u[i] = (static_cast<float>(i) + (block.vertex ? 0.0f : 0.5f)) /
           static_cast<float>(block.cells[axis]);
  return u;
}

// low + y * extent is the field's value, per output; `network` may be null: the constant `low`.
inline std::vector<Errors> measure(const Network* network, const float* params,
                                   const GridSampler& block, const double* low,
                                   const double* extent) {
  const int count = block.components();
  std::vector<Errors> errors(count);
  const long nx = block.owned[2], ny = block.owned[1];
  auto add = [&](int c, long index, double value) {
    const long x = index % nx, y = index / nx % ny, z = index / (nx * ny);
    const double truth = block.parts[c].exact(
        z + block.ghost_low[0], y + block.ghost_low[1], x + block.ghost_low[2]);
    if (!std::isfinite(truth)) return;
    const double error = std::fabs(value - truth);
    errors[c].sum_of_squares += error * error;
    errors[c].max = std::max(errors[c].max, error);
    ++errors[c].finite;
  };
  if (!network) {
    for (int c = 0; c < count; ++c)
      for (long i = 0; i < nx * ny * block.owned[0]; ++i) add(c, i, low[c]);
    return errors;
  }
  Workspace work(*network);
  const auto xs = sample_coordinates(block, 2), ys = sample_coordinates(block, 1),
             zs = sample_coordinates(block, 0);
  for_each_grid_chunk(*network, params, xs.data(), nx, ys.data(), ny, zs.data(), block.owned[0],
                      work, [&](long begin, long n, Workspace& w) {
                        for (int c = 0; c < count; ++c)
                          for (long s = 0; s < n; ++s) {
                            // As the field is decoded: rounded to the precision of the raw data.
                            const double v = low[c] + extent[c] * w.output[c * kChunk + s];
                            add(c, begin + s,
                                block.parts[c].is_double ? v : static_cast<float>(v));
                          }
                      });
  return errors;
}

// A trained network as a source of physical values for the ray marcher and the like.
class NetworkSampler : public Sampler {
 public:
  NetworkSampler(std::shared_ptr<const Network> network, std::vector<float> params,
                 std::vector<double> low, std::vector<double> extent)
      : network_(std::move(network)), params_(std::move(params)), low_(std::move(low)),
        extent_(std::move(extent)) {}

  int components() const override { return static_cast<int>(low_.size()); }

  void sample(const float* unit_points, long n, float* out) const override {
    const int count = components();
    if (!network_) {
      for (long i = 0; i < n * count; ++i) out[i] = static_cast<float>(low_[i % count]);
      return;
    }
    Workspace work(*network_);
    evaluate(*network_, params_.data(), unit_points, n, work, out);
    for (long i = 0; i < n * count; ++i)
      out[i] = static_cast<float>(low_[i % count] + extent_[i % count] * out[i]);
  }

 private:
  std::shared_ptr<const Network> network_;  // null for a constant field
  std::vector<float> params_;
  std::vector<double> low_, extent_;
};

}  // namespace insitu
