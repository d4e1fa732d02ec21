// The whole training of any number of networks of one shape in one launch: sample points, trilinear
// targets from the raw block, encoding, MLP, Huber loss, its gradient, Adam, schedule, stop.
//
// In: a `Training` for each row of the launch, in global memory. Out: parameters, moments, gradient
// and `Progress`, in place. The rules are those of `insitu.engines.training_loop`.
//
// The blocks of a row work on one network. They take tiles of 32 samples: a thread is a sample and,
// with its warp, a share of the levels, neurons or components. Activations are in shared memory,
// rows of 32 samples. Tables are read and their gradient is added through the L2 cache, where the
// blocks of a row meet at a barrier after the gradient and at another after the update.
#pragma once

#include "block.hpp"
#include "network.hpp"

constexpr int kWarps = WARPS;
constexpr int kTrainThreads = 32 * kWarps;
constexpr int kTile = 32;        // samples
constexpr int kRow = kTile + 4;  // of activations, in floats: aligned, and free of bank conflicts
// Whether the MLP and its gradient stay in shared memory.
constexpr bool kMlpInShared = kMlp <= 8192;

// What an engine in Python sees after a launch.
struct Progress {
  int64 iteration;
  double elapsed;                   // seconds, as in Trainer.elapsed
  double loss, squares, weight;     // moving averages, times `weight`
  double beta1_power, beta2_power;  // beta^iteration
};

struct Training {
  float *params, *gradient, *first, *second;  // (n_params), allocated to a multiple of 4
  double* sums;                               // (2, 4), zero: of even and odd iterations
  double* now;                                // seconds at the last gradient's end
  unsigned* barrier;                          // zero
  Progress* progress;
  int64 n_params;
  Grid grid;
  Part parts[kOutputs];
  double origin[kOutputs], scale[kOutputs];  // target = (value - origin) * scale
  double error_scale[kOutputs];
  Sampling sampling;
  int batch;
  float huber, l2, beta1, beta2, epsilon;
  int cosine;
  int64 iterations;
  double learning_rate, final_rate, seconds, loss_threshold, error_threshold, approach, average;
  double exact_beta1, exact_beta2;
  Level levels[kLevels];
};

static_assert(sizeof(Training) == TRAINING_BYTES, "the layout is not that of layout.py");

struct TrainArguments {
  Training* trainings;
  double seconds;  // of this launch, but at least one step
  int64 steps;     // of this launch, at most
  int update;      // 0: one gradient, added to what is there, and no step
};

// Shared memory of a block of threads. The arrays come first: their rows are read 16 bytes at once.
struct Shared {
  float activations[kHidden + 1][kWidth > kEncoded ? kWidth : kEncoded][kRow];
  float deltas[2][kWidth > kEncoded ? kWidth : kEncoded][kRow];
  float targets[kOutputs][kRow];
  float mlp[kMlpInShared ? kMlp : 4];
  float mlp_gradient[kMlpInShared ? kMlp : 4];
  Training training;
  Progress progress;
  double rate;
  float step_size, correction;
  int done;
};

static_assert(sizeof(Shared) == SHARED_BYTES, "the layout is not that of layout.py");

// Of the values that a thread has seen since the last step.
struct Sums {
  float loss = 0.0f;
  double squares = 0.0;  // in the caller's unit, which single precision may not hold
  int valid = 0, uniform = 0;
};

DEVICE double share_of(double used, double of) { return used >= of ? 1.0 : used / of; }

// The learning rate by what has been used so far, and the averages so far.
DEVICE double rate_of(const Training& t, const Progress& p) {
  const double used =
      fmax(share_of(static_cast<double>(p.iteration), static_cast<double>(t.iterations)),
           share_of(p.elapsed, t.seconds));
  const double last = t.final_rate;
  const double factor =
      t.cosine ? last + (1.0 - last) * 0.5 * (1.0 + cospi(used)) : pow(last, used);
  double approach = 1.0;
  if (t.error_threshold > 0.0 && t.approach > 0.0) {
    const double error = p.weight > 0.0 ? sqrt(p.squares / p.weight) : 0.0;
    approach = 0.0;  // nothing is known: a full first step would undo a warm start
    if (error > 0.0) {
      const double missing = 20.0 * log10(error / t.error_threshold) / t.approach;
      approach = sqrt(fmin(fmax(missing, 0.0), 1.0));
    }
  }
  return t.learning_rate * fmin(factor, fmax(last, approach));
}

// sums: of |error| and of squares, numbers of values and of those drawn uniformly.
DEVICE void average(const Training& t, const double* sums, Progress& p) {
  const double valid = sums[2], uniform = sums[3];
  if (valid == 0.0) return;
  // After few steps, average over the last tenth only: the error still decreases fast.
  const double n = static_cast<double>(p.iteration);
  const double w = fmin(t.average, n / (n + 10.0));
  p.weight = w * p.weight + (1.0 - w);
  p.loss = w * p.loss + (1.0 - w) * sums[0] / valid;
  p.squares = w * p.squares + (1.0 - w) * (uniform > 0.0 ? sums[1] / uniform : infinity());
}

DEVICE int is_done(const Training& t, const Progress& p) {
  if (p.iteration >= t.iterations || p.elapsed >= t.seconds) return 1;
  if (p.iteration < 16 || p.weight == 0.0) return 0;
  return p.loss / p.weight < t.loss_threshold || sqrt(p.squares / p.weight) < t.error_threshold;
}

DEVICE float4 weights_at(const float* mlp, int i) {
  const float4* p = reinterpret_cast<const float4*>(mlp + i);
  if constexpr (kMlpInShared) return *p;
  else return load_current(p);
}

// out = matrix (kRows, kColumns) times in, with ReLU; a warp takes groups of 4 rows.
template <int kRows, int kColumns, int kStride>
DEVICE void forward_layer(const float* mlp, int offset, const float (*in)[kRow],
                          float (*out)[kRow]) {
  const int warp = thread_index() / 32, lane = thread_index() % 32;
  for (int row = 4 * warp; row < kRows; row += 4 * kWarps) {
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    constexpr int kWhole = kColumns / 4 * 4;
#pragma unroll 4
    for (int column = 0; column < kWhole; column += 4) {
      const float a = in[column][lane], b = in[column + 1][lane], c = in[column + 2][lane],
                  d = in[column + 3][lane];
      UNROLL
      for (int r = 0; r < 4; ++r) {
        const float4 w = weights_at(mlp, offset + (row + r) * kStride + column);
        sum[r] = fmaf(w.x, a, sum[r]);
        sum[r] = fmaf(w.y, b, sum[r]);
        sum[r] = fmaf(w.z, c, sum[r]);
        sum[r] = fmaf(w.w, d, sum[r]);
      }
    }
    if constexpr (kWhole < kColumns) {
      UNROLL
      for (int r = 0; r < 4; ++r) {
        const float4 w = weights_at(mlp, offset + (row + r) * kStride + kWhole);
        const float rest[3] = {w.x, w.y, w.z};
        UNROLL
        for (int c = kWhole; c < kColumns; ++c)
          sum[r] = fmaf(rest[c - kWhole], in[c][lane], sum[r]);
      }
    }
    UNROLL
    for (int r = 0; r < 4; ++r) out[row + r][lane] = fmaxf(sum[r], 0.0f);
  }
}

// out = in (kRows) times the matrix; zero where the layer below was not active.
template <int kRows, int kColumns, int kStride, bool kRelu>
DEVICE void backward_layer(const float* mlp, int offset, const float (*in)[kRow],
                           const float (*below)[kRow], float (*out)[kRow]) {
  const int warp = thread_index() / 32, lane = thread_index() % 32;
  for (int column = 4 * warp; column < kColumns; column += 4 * kWarps) {
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll 16
    for (int row = 0; row < kRows; ++row) {
      const float4 w = weights_at(mlp, offset + row * kStride + column);
      const float d = in[row][lane];
      sum[0] = fmaf(w.x, d, sum[0]);
      sum[1] = fmaf(w.y, d, sum[1]);
      sum[2] = fmaf(w.z, d, sum[2]);
      sum[3] = fmaf(w.w, d, sum[3]);
    }
    UNROLL
    for (int c = 0; c < 4; ++c)
      if (column + c < kColumns)
        out[column + c][lane] = kRelu && below[column + c][lane] <= 0.0f ? 0.0f : sum[c];
  }
}

// Adds the outer products of in (kRows) and below (kColumns), summed over the tile's samples.
template <int kRows, int kColumns, int kStride>
DEVICE void add_products(float* shared, float* global, int offset, const float (*in)[kRow],
                         const float (*below)[kRow]) {
  constexpr int kPairs = (kRows + 1) / 2 * kColumns;  // of rows
  for (int i = thread_index(); i < kPairs; i += kTrainThreads) {
    const int row = i / kColumns * 2, column = i % kColumns;
    const bool both = kRows % 2 == 0 || row + 1 < kRows;
    const float4* b = reinterpret_cast<const float4*>(below[column]);
    const float4* first = reinterpret_cast<const float4*>(in[row]);
    const float4* second = reinterpret_cast<const float4*>(in[both ? row + 1 : row]);
    float4 sum{}, other{};
#pragma unroll 4
    for (int s = 0; s < kTile / 4; ++s) {
      const float4 v = b[s], x = first[s], y = second[s];
      sum.x = fmaf(x.x, v.x, sum.x);
      sum.y = fmaf(x.y, v.y, sum.y);
      sum.z = fmaf(x.z, v.z, sum.z);
      sum.w = fmaf(x.w, v.w, sum.w);
      other.x = fmaf(y.x, v.x, other.x);
      other.y = fmaf(y.y, v.y, other.y);
      other.z = fmaf(y.z, v.z, other.z);
      other.w = fmaf(y.w, v.w, other.w);
    }
    const float totals[2] = {(sum.x + sum.y) + (sum.z + sum.w),
                             (other.x + other.y) + (other.z + other.w)};
    for (int r = 0; r < (both ? 2 : 1); ++r) {
      const int at = offset + (row + r) * kStride + column;
      if constexpr (kMlpInShared) shared[at] += totals[r];  // always by this thread
      else add(global + at, totals[r]);
    }
  }
}

// The targets of samples first .. first + 31 of a batch. They do not depend on the parameters.
DEVICE void read_targets(Shared& s, int first, unsigned iteration) {
  const Training& t = s.training;
  const int warp = thread_index() / 32, lane = thread_index() % 32;
  if (warp >= kOutputs) return;
  const Cell cell = cell_of(t.grid, draw(t.sampling, iteration, first + lane));
  for (int o = warp; o < kOutputs; o += kWarps)
    s.targets[o][lane] = interpolate(t.grid, t.parts[o], cell, t.origin[o], t.scale[o]);
}

// The features of samples first .. first + 31 of a batch.
DEVICE void encode_tile(Shared& s, int first, unsigned iteration) {
  const Training& t = s.training;
  const int warp = thread_index() / 32, lane = thread_index() % 32;
  const Point p = draw(t.sampling, iteration, first + lane);
  for (int l = warp; l < kLevels; l += kWarps) {
    float features[kFeatures];
    encode_level<true>(t.levels[l], t.params, p, features);
    UNROLL
    for (int f = 0; f < kFeatures; ++f) s.activations[0][l * kFeatures + f][lane] = features[f];
  }
  if (kFrequencies > 0 && warp == kWarps - 1) {
    float waves[6 * kFrequencies + 1];
    encode_waves(p, waves);
    for (int i = 0; i < 6 * kFrequencies; ++i) s.activations[0][kGridFeatures + i][lane] = waves[i];
  }
}

// Loss and gradient of samples first .. first + 31, given their targets and features.
DEVICE void add_tile(Shared& s, int first, unsigned iteration, Sums& sums) {
  const Training& t = s.training;
  const int warp = thread_index() / 32, lane = thread_index() % 32;
  const int sample = first + lane;
  const bool exists = sample < t.batch;
  const float* mlp = kMlpInShared ? s.mlp : t.params;
  forward_layer<kWidth, kEncoded, kInputs>(mlp, 0, s.activations[0], s.activations[1]);
  wait_for_block();
  for (int h = 1; h < kHidden; ++h) {
    forward_layer<kWidth, kWidth, kWidth>(mlp, kHiddenOffset + (h - 1) * kWidth * kWidth,
                                          s.activations[h], s.activations[h + 1]);
    wait_for_block();
  }
  float (*above)[kRow] = s.deltas[0];
  float (*below)[kRow] = s.deltas[1];
  const float share = 1.0f / (static_cast<float>(t.batch) * kOutputs);
  for (int o = warp; o < kOutputs; o += kWarps) {
    float out[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    UNROLL
    for (int n = 0; n < kWidth; n += 4) {
      const float4 w = weights_at(mlp, kLastOffset + o * kWidth + n);
      out[0] = fmaf(w.x, s.activations[kHidden][n][lane], out[0]);
      out[1] = fmaf(w.y, s.activations[kHidden][n + 1][lane], out[1]);
      out[2] = fmaf(w.z, s.activations[kHidden][n + 2][lane], out[2]);
      out[3] = fmaf(w.w, s.activations[kHidden][n + 3][lane], out[3]);
    }
    const float target = s.targets[o][lane];
    float slope = 0.0f;
    // A sample whose target is not finite teaches nothing.
    if (exists && is_finite(target)) {
      const float error = (out[0] + out[1]) + (out[2] + out[3]) - target;
      slope = t.huber > 0.0f ? fminf(fmaxf(error / t.huber, -1.0f), 1.0f)
                             : static_cast<float>((error > 0.0f) - (error < 0.0f));
      slope *= share;
      sums.loss += fabsf(error);
      sums.valid += 1;
      if (sample >= t.sampling.boundary) {
        const double scaled = static_cast<double>(error) * t.error_scale[o];
        sums.squares += scaled * scaled;
        sums.uniform += 1;
      }
    }
    above[o][lane] = slope;
  }
  wait_for_block();
  add_products<kOutputs, kWidth, kWidth>(s.mlp_gradient, t.gradient, kLastOffset, above,
                                         s.activations[kHidden]);
  backward_layer<kOutputs, kWidth, kWidth, true>(mlp, kLastOffset, above, s.activations[kHidden],
                                                 below);
  wait_for_block();
  for (int h = kHidden - 1; h > 0; --h) {
    float (*const swap)[kRow] = above;
    above = below;
    below = swap;
    const int offset = kHiddenOffset + (h - 1) * kWidth * kWidth;
    add_products<kWidth, kWidth, kWidth>(s.mlp_gradient, t.gradient, offset, above,
                                         s.activations[h]);
    backward_layer<kWidth, kWidth, kWidth, true>(mlp, offset, above, s.activations[h], below);
    wait_for_block();
  }
  add_products<kWidth, kEncoded, kInputs>(s.mlp_gradient, t.gradient, 0, below, s.activations[0]);
  backward_layer<kWidth, kGridFeatures, kInputs, false>(mlp, 0, below, s.activations[0], above);
  wait_for_block();
  const Point p = draw(t.sampling, iteration, sample);
  for (int l = warp; l < kLevels; l += kWarps) {
    float features[kFeatures];
    UNROLL
    for (int f = 0; f < kFeatures; ++f) features[f] = above[l * kFeatures + f][lane];
    if (exists) scatter_level(t.levels[l], t.gradient, p, features);
  }
  // The next tile's first writes: targets and features, which no thread reads any more.
}

// Kingma and Ba 2015, algorithm 1; L2 regularization of the MLP alone. The gradient becomes zero.
DEVICE void update(const Shared& s) {
  const Training& t = s.training;
  const int64 quads = (t.n_params + 3) / 4;
  const float b1 = t.beta1, b2 = t.beta2;
  for (int64 i = static_cast<int64>(block_index()) * kTrainThreads + thread_index(); i < quads;
       i += static_cast<int64>(block_count()) * kTrainThreads) {
    float4* const to_p = reinterpret_cast<float4*>(t.params) + i;
    float4* const to_g = reinterpret_cast<float4*>(t.gradient) + i;
    float4* const to_m = reinterpret_cast<float4*>(t.first) + i;
    float4* const to_v = reinterpret_cast<float4*>(t.second) + i;
    const float4 p4 = load_current(to_p), g4 = load_current(to_g), m4 = *to_m, v4 = *to_v;
    float p[4] = {p4.x, p4.y, p4.z, p4.w}, g[4] = {g4.x, g4.y, g4.z, g4.w};
    float m[4] = {m4.x, m4.y, m4.z, m4.w}, v[4] = {v4.x, v4.y, v4.z, v4.w};
    const float decay = 4 * i < kMlp ? t.l2 : 0.0f;
    UNROLL
    for (int k = 0; k < 4; ++k) {
      g[k] = fmaf(decay, p[k], g[k]);
      m[k] = b1 * m[k] + (1.0f - b1) * g[k];
      v[k] = b2 * v[k] + (1.0f - b2) * g[k] * g[k];
      p[k] -= s.step_size * m[k] / (sqrtf(v[k]) * s.correction + t.epsilon);
    }
    *to_p = {p[0], p[1], p[2], p[3]};
    *to_g = {0.0f, 0.0f, 0.0f, 0.0f};
    *to_m = {m[0], m[1], m[2], m[3]};
    *to_v = {v[0], v[1], v[2], v[3]};
  }
}

// Waits for the other blocks of the row. Meanwhile all threads call `before`, and the last one
// calls `aside`.
template <typename Before, typename Aside>
DEVICE void wait_for_row(unsigned* counter, unsigned& arrivals, Before&& before, Aside&& aside) {
  wait_for_block();
  arrivals += block_count();
  if (thread_index() == 0) arrive(counter);
  before();
  if (thread_index() == 0) wait_until(counter, arrivals);
  else if (thread_index() == kTrainThreads - 1) aside();
  wait_for_block();
}

// The MLP's matrices on their way from global to shared memory, in registers: other loads are
// issued before the first has arrived.
struct Matrices {
  static constexpr int kLoads = kMlpInShared ? (kMlp / 4 + kTrainThreads - 1) / kTrainThreads : 0;
  float4 values[kLoads + 1];
};

DEVICE void load_matrices(const Training& t, Matrices& m) {
  UNROLL
  for (int i = 0; i < Matrices::kLoads; ++i) {
    const int quad = i * kTrainThreads + thread_index();
    if (quad < kMlp / 4)
      m.values[i] = load_current(reinterpret_cast<const float4*>(t.params) + quad);
  }
}

DEVICE void store_matrices(const Matrices& m, Shared& s) {
  UNROLL
  for (int i = 0; i < Matrices::kLoads; ++i) {
    const int quad = i * kTrainThreads + thread_index();
    if (quad < kMlp / 4) {
      reinterpret_cast<float4*>(s.mlp)[quad] = m.values[i];
      reinterpret_cast<float4*>(s.mlp_gradient)[quad] = {0.0f, 0.0f, 0.0f, 0.0f};
    }
  }
}

// Adds this block's part of the MLP's gradient to that in global memory.
DEVICE void add_matrices(const Shared& s) {
  if (!kMlpInShared) return;
  float4* const to = reinterpret_cast<float4*>(s.training.gradient);
  for (int quad = thread_index(); quad < kMlp / 4; quad += kTrainThreads) {
    const float4 g = reinterpret_cast<const float4*>(s.mlp_gradient)[quad];
    if (g.x != 0.0f || g.y != 0.0f || g.z != 0.0f || g.w != 0.0f) add(to + quad, g);
  }
}

DEVICE void add_sums(const Sums& sums, double* total) {
  if (thread_index() / 32 >= smaller(kOutputs, kWarps)) return;
  const float loss = warp_sum(sums.loss);
  const double squares = warp_sum(sums.squares);
  const int valid = warp_sum(sums.valid), uniform = warp_sum(sums.uniform);
  const int lane = thread_index() % 32;
  if (lane == 0) add(total, static_cast<double>(loss));
  if (lane == 1) add(total + 1, squares);
  if (lane == 2) add(total + 2, static_cast<double>(valid));
  if (lane == 3) add(total + 3, static_cast<double>(uniform));
}

KERNEL(train, TrainArguments, kTrainThreads) {
  Shared& s = *reinterpret_cast<Shared*>(shared_memory());
  const Training* const source = arguments.trainings + row_index();
  for (int i = thread_index(); i < static_cast<int>(sizeof(Training) / 4); i += kTrainThreads)
    reinterpret_cast<unsigned*>(&s.training)[i] = reinterpret_cast<const unsigned*>(source)[i];
  wait_for_block();
  const Training& t = s.training;
  if (thread_index() == kTrainThreads - 1) {
    s.progress = *t.progress;
    s.done = 0;
  }
  const uint64 start = clock_time();
  const double before = t.progress->elapsed;
  const int own_first = block_index() * kTile, stride = block_count() * kTile;
  unsigned arrivals = 0;
  wait_for_block();
  if (own_first < t.batch) read_targets(s, own_first, static_cast<unsigned>(s.progress.iteration));
  for (int64 step = 0;; ++step) {
    const unsigned iteration = static_cast<unsigned>(s.progress.iteration);
    Matrices matrices;
    load_matrices(t, matrices);
    Sums sums;
    double* const total = t.sums + 4 * (step & 1);
    for (int first = own_first; first < t.batch; first += stride) {
      if (first != own_first) read_targets(s, first, iteration);
      encode_tile(s, first, iteration);
      if (first == own_first) store_matrices(matrices, s);
      wait_for_block();
      add_tile(s, first, iteration, sums);
    }
    if (own_first < t.batch) add_matrices(s);
    add_sums(sums, total);
    if (block_index() == 0 && thread_index() == 0)
      *t.now = before + fmax(1e-9 * static_cast<double>(clock_time() - start), 2e-9);
    const auto average_all = [&] {
      const double all[4] = {load_current(total), load_current(total + 1), load_current(total + 2),
                             load_current(total + 3)};
      average(t, all, s.progress);
    };
    wait_for_row(
        t.barrier, arrivals,
        [&] {
          if (arguments.update && own_first < t.batch) read_targets(s, own_first, iteration + 1);
        },
        [&] {
          if (!arguments.update) return;
          s.rate = rate_of(t, s.progress);  // by the averages before this batch
          s.progress.beta1_power *= t.exact_beta1;
          s.progress.beta2_power *= t.exact_beta2;
          s.step_size = static_cast<float>(s.rate / (1.0 - s.progress.beta1_power));
          s.correction = static_cast<float>(1.0 / sqrt(1.0 - s.progress.beta2_power));
        });
    if (!arguments.update) {
      if (thread_index() == kTrainThreads - 1) average_all();
      break;
    }
    update(s);
    // The other sums have been read by all blocks, and are added to after the next barrier.
    if (block_index() == 0 && thread_index() < 4) t.sums[4 * (1 - (step & 1)) + thread_index()] = 0;
    wait_for_row(
        t.barrier, arrivals, [] {},
        [&] {
          average_all();
          s.progress.elapsed = load_current(t.now);
          ++s.progress.iteration;
          s.done = step + 1 >= arguments.steps || is_done(t, s.progress) ||
                   s.progress.elapsed - before >= arguments.seconds;
        });
    if (s.done) break;
  }
  if (block_index() == 0 && thread_index() == kTrainThreads - 1) *t.progress = s.progress;
}
