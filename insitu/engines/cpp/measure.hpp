// Errors of a network against the raw block, without a decoded copy of the block.
//
// In: network, parameters, block. Out: squares, maximum and count per component, in the field's
// own units, over all owned samples that are finite.
#pragma once

#include "evaluate.hpp"
#include "grid_sampler.hpp"

namespace insitu {

struct Errors {
  double sum_of_squares = 0.0, max = 0.0;
  long finite = 0;

  void operator+=(const Errors& other) {
    sum_of_squares += other.sum_of_squares;
    max = std::max(max, other.max);
    finite += other.finite;
  }
};

// Adds one chunk. truth: kChunk values, NaN where there is no sample; value(s): the network's.
template <typename Value>
inline void add_errors(const double* truth, Value&& value, Errors& errors) {
  constexpr int kWide = 8;  // independent sums, so that they are vectors
  double squares[kWide] = {}, largest[kWide] = {};
  long finite[kWide] = {};
  for (int s = 0; s < kChunk; s += kWide)
    for (int i = 0; i < kWide; ++i) {
      const double t = truth[s + i];
      const bool counts = t - t == 0.0;
      const double error = counts ? std::fabs(value(s + i) - t) : 0.0;
      squares[i] += error * error;
      largest[i] = error > largest[i] ? error : largest[i];
      finite[i] += counts;
    }
  for (int i = 0; i < kWide; ++i) {
    errors.sum_of_squares += squares[i];
    errors.max = std::max(errors.max, largest[i]);
    errors.finite += finite[i];
  }
}

// Reads the owned samples of one component in the order x, y, z, a chunk at a time.
class OwnedSamples {
 public:
  OwnedSamples(const GridSampler& block, int component, long begin)
      : block_(block), part_(block.parts[component]), x_(begin % block.owned[2]),
        y_(begin / block.owned[2] % block.owned[1]),
        z_(begin / (block.owned[2] * block.owned[1])) {}

  // The next `count` values; the rest of the chunk becomes NaN.
  void next(long count, double* out) {
    for (long s = 0; s < count;) {
      const long n = std::min(count - s, block_.owned[2] - x_);
      const char* row = part_.at(z_ + block_.ghost_low[0], y_ + block_.ghost_low[1],
                                 x_ + block_.ghost_low[2]);
      for (long i = 0; i < n; ++i, row += part_.stride[2]) out[s + i] = part_.read(row);
      s += n;
      if ((x_ += n) == block_.owned[2]) {
        x_ = 0;
        if (++y_ == block_.owned[1]) y_ = 0, ++z_;
      }
    }
    std::fill(out + count, out + kChunk, std::numeric_limits<double>::quiet_NaN());
  }

 private:
  const GridSampler& block_;
  const Component& part_;
  long x_, y_, z_;
};

inline std::vector<float> sample_coordinates(const GridSampler& block, int axis) {
  std::vector<float> u(block.owned[axis]);
  for (long i = 0; i < block.owned[axis]; ++i)
    u[i] = (static_cast<float>(i) + (block.vertex ? 0.0f : 0.5f)) /
           static_cast<float>(block.cells[axis]);
  return u;
}

// What maps outputs to the field's values: low + extent * y, one of each per component.
struct Scale {
  const double *low, *extent;
};

// Errors at the owned samples part.begin .. part.end - 1; `network` may be null: the constant `low`.
inline std::vector<Errors> measure_part(const Network* network, const float* params,
                                        const GridSampler& block, Scale scale, Part part) {
  const int count = block.components();
  std::vector<Errors> errors(count);
  std::vector<OwnedSamples> samples;
  for (int c = 0; c < count; ++c) samples.emplace_back(block, c, part.begin);
  double truth[kChunk];
  if (!network) {
    for (int c = 0; c < count; ++c)
      for (long begin = part.begin; begin < part.end; begin += kChunk) {
        samples[c].next(std::min<long>(kChunk, part.end - begin), truth);
        add_errors(truth, [&](int) { return scale.low[c]; }, errors[c]);
      }
    return errors;
  }
  const auto xs = sample_coordinates(block, 2), ys = sample_coordinates(block, 1),
             zs = sample_coordinates(block, 0);
  const Grid grid{xs.data(), ys.data(), zs.data(), block.owned[2], block.owned[1], block.owned[0]};
  decode(*network, params, grid, part, [&](long, long n, const float* outputs) {
    for (int c = 0; c < count; ++c) {
      samples[c].next(n, truth);
      const auto value = [&](int s) {
        return scale.low[c] + scale.extent[c] * static_cast<double>(outputs[c * kChunk + s]);
      };
      // As the field is decoded: rounded to the precision of the raw data.
      const auto rounded = [&](int s) { return static_cast<double>(static_cast<float>(value(s))); };
      if (block.parts[c].is_double) add_errors(truth, value, errors[c]);
      else add_errors(truth, rounded, errors[c]);
    }
  });
  return errors;
}

inline std::vector<Errors> measure(const Network* network, const float* params,
                                   const GridSampler& block, Scale scale, int threads) {
  const long n = block.owned[0] * block.owned[1] * block.owned[2];
  std::vector<std::vector<Errors>> parts(threads);
  share_out(n, threads, [&](int i, Part part) {
    parts[i] = measure_part(network, params, block, scale, part);
  });
  std::vector<Errors> total(block.components());
  for (const auto& part : parts)
    for (std::size_t c = 0; c < part.size(); ++c) total[c] += part[c];
  return total;
}

}  // namespace insitu
