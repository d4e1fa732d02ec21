// Errors of a network against the raw block, without a decoded copy of the block.
//
// In: network, parameters, block. Out: sum of squares, maximum and count per component, in the
// field's units, over all finite owned samples.
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

// Owned samples begin .. begin + count - 1 of one component, in the order x, y, z; the rest of the
// chunk becomes NaN.
inline void read_owned(const GridSampler& block, int component, long begin, long count,
                       double* out) {
  const Component& part = block.parts[component];
  const long nx = block.owned[2], ny = block.owned[1];
  for (long s = 0; s < count;) {
    const long i = begin + s, x = i % nx, n = std::min(count - s, nx - x);
    const char* row = part.at(i / (nx * ny) + block.ghost_low[0], i / nx % ny + block.ghost_low[1],
                              x + block.ghost_low[2]);
    for (long j = 0; j < n; ++j, row += part.stride[2]) out[s + j] = part.read(row);
    s += n;
  }
  std::fill(out + count, out + kChunk, std::numeric_limits<double>::quiet_NaN());
}

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

// Errors at the owned samples part.begin .. part.end - 1, of each `every`th chunk of them;
// `network` may be null: the constant `low`.
inline std::vector<Errors> measure_part(const Network* network, const float* params,
                                        const GridSampler& block, Scale scale, Part part,
                                        long every) {
  const int count = block.components();
  std::vector<Errors> errors(count);
  double truth[kChunk];
  if (!network) {
    for (int c = 0; c < count; ++c)
      for (long begin = part.begin; begin < part.end; begin += kChunk * every) {
        read_owned(block, c, begin, std::min<long>(kChunk, part.end - begin), truth);
        add_errors(truth, [&](int) { return scale.low[c]; }, errors[c]);
      }
    return errors;
  }
  const auto xs = sample_coordinates(block, 2), ys = sample_coordinates(block, 1),
             zs = sample_coordinates(block, 0);
  const Grid grid{xs.data(), ys.data(), zs.data(), block.owned[2], block.owned[1], block.owned[0]};
  decode(
      *network, params, grid, part,
      [&](long begin, long n, const float* outputs) {
        for (int c = 0; c < count; ++c) {
          read_owned(block, c, begin, n, truth);
          const auto value = [&](int s) {
            return scale.low[c] + scale.extent[c] * static_cast<double>(outputs[c * kChunk + s]);
          };
          // As the field is decoded: rounded to the precision of the raw data.
          const auto rounded = [&](int s) {
            return static_cast<double>(static_cast<float>(value(s)));
          };
          if (block.parts[c].is_double) add_errors(truth, value, errors[c]);
          else add_errors(truth, rounded, errors[c]);
        }
      },
      every);
  return errors;
}

inline std::vector<Errors> measure(const Network* network, const float* params,
                                   const GridSampler& block, Scale scale, Part range, long every,
                                   int threads) {
  const long unit = kChunk * every, units = (range.end - range.begin + unit - 1) / unit;
  std::vector<std::vector<Errors>> parts(threads);
  share_out(units * kChunk, threads, [&](int i, Part part) {
    // Parts are multiples of a chunk; so many chunks on there are `every` as many in the block.
    const Part mine{range.begin + part.begin * every,
                    std::min(range.end, range.begin + part.end * every)};
    parts[i] = measure_part(network, params, block, scale, mine, every);
  });
  std::vector<Errors> total(block.components());
  for (const auto& part : parts)
    for (std::size_t c = 0; c < part.size(); ++c) total[c] += part[c];
  return total;
}

}  // namespace insitu
