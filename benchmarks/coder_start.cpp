// What the coder of a sparse grid's numbers learns from files of them: made and run by
// coder_start.py, which describes the files. Out: insitu/models/sparse_grid/start.txt, on stdout.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "sparse_coder.hpp"

using namespace insitu::sparse;

namespace {

constexpr int kSeen = 4;           // observations that a probability is worth
constexpr double kLeastGain = 10;  // bits that a context has to save
constexpr int32_t kFirst = 16000;  // weight that training begins with
constexpr int kShift = 16;         // of training: slow, so that weights are averages

struct File {
  Size3 shape;
  std::vector<int> splits;
  std::vector<int32_t> numbers, before;

  explicit File(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const auto read = [&](std::size_t count) {
      std::vector<int32_t> found(count);
      in.read(reinterpret_cast<char*>(found.data()), static_cast<std::streamsize>(4 * count));
      if (!in) throw std::runtime_error(path + ": too short");
      return found;
    };
    const auto head = read(5);
    shape = {head[0], head[1], head[2]};
    const auto count = static_cast<std::size_t>(shape[0] * shape[1] * shape[2]);
    const auto levels = read(static_cast<std::size_t>(head[3]));
    splits.assign(levels.begin(), levels.end());
    numbers = read(count);
    if (head[4]) before = read(count);
  }

  template <typename Coder>
  void code(Coder& coder) const {
    const Bands bands(shape, splits);
    CoefficientCoder<Coder> coefficients(bands, coder);
    coefficients.component(numbers.data(), before.empty() ? nullptr : before.data(), nullptr);
  }
};

struct Counts {
  int of[2] = {};
};

// Counts the decisions of each context.
struct Counter {
  static constexpr bool kDecodes = false;
  std::vector<Counts> counts = std::vector<Counts>(kSlots * kContexts);

  int code(int bit, const Contexts& contexts, int) {
    for (int i = 0; i < kSlots; ++i) ++counts[i * kContexts + contexts[i]].of[bit];
    return bit;
  }
};

// Trains weights.
struct Trainer {
  static constexpr bool kDecodes = false;
  const Start& start;
  std::vector<Probability> table = start.table;
  std::vector<int32_t>& weights;
  std::vector<bool>& used;

  int code(int bit, const Contexts& contexts, int selector) {
    int32_t* w = &weights[selector * kInputs];
    used[selector] = true;
    std::array<int32_t, kInputs> input{};
    input[kSlots] = 256;
    int64_t sum = static_cast<int64_t>(w[kSlots]) * 256;
    for (int i = 0; i < kSlots; ++i) {
      input[i] = table[i * kContexts + contexts[i]].input;
      sum += static_cast<int64_t>(w[i]) * input[i];
    }
    const auto p = kLogistic.squash[std::clamp<int64_t>(sum >> 16, -kHalf, kHalf - 1) + kHalf];
    const int32_t error = (bit << 16) - p;
    for (int i = 0; i < kInputs; ++i) w[i] += (input[i] * error) >> kShift;
    for (int i = 0; i < kSlots; ++i) table[i * kContexts + contexts[i]].learn(bit);
    return bit;
  }
};

// Bits saved where a context that is worth nothing at first begins with probability p.
double gain(const std::vector<Counts>& files, double p) {
  const auto bits = [](double zeros, double ones, double z, double o) {
    const double natural = std::lgamma(z) + std::lgamma(o) - std::lgamma(z + o) -
                           std::lgamma(zeros + z) - std::lgamma(ones + o) +
                           std::lgamma(zeros + ones + z + o);
    return natural / std::log(2.0);
  };
  const double worth = kSeen + 0.6;
  double saved = 0;
  for (const Counts& n : files)
    saved += bits(n.of[0], n.of[1], 0.5, 0.5) - bits(n.of[0], n.of[1], (1 - p) * worth, p * worth);
  return saved;
}

// Quarters of a natural logarithm of p / (1 - p), in -31..31: files count by the power 0.6 of how
// often they have the context.
int quarters(const std::vector<Counts>& files) {
  double ones = 0.4, all = 0.8;
  for (const Counts& n : files) {
    const double count = n.of[0] + n.of[1], weight = std::pow(count, 0.6);
    ones += weight * n.of[1] / count;
    all += weight;
  }
  const double p = ones / all;
  return std::clamp(static_cast<int>(std::lround(4 * std::log(p / (1 - p)))), -31, 31);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<File> files(argv + 1, argv + argc);
  std::vector<std::vector<Counts>> found(kSlots * kContexts);
  for (const File& file : files) {
    Counter counter;
    file.code(counter);
    for (std::size_t i = 0; i < found.size(); ++i)
      if (counter.counts[i].of[0] + counter.counts[i].of[1]) found[i].push_back(counter.counts[i]);
  }
  Start start(kFirst, 0, 1);
  std::vector<std::string> rows(kSlots);
  for (int slot = 0; slot < kSlots; ++slot) {
    int last = 0;
    for (int context = 0; context < kContexts; ++context) {
      const auto& counts = found[slot * kContexts + context];
      if (counts.empty()) continue;
      const int logit = quarters(counts);
      if (gain(counts, 1 / (1 + std::exp(-logit / 4.0))) < kLeastGain) continue;
      start.set(slot, context, kLogistic.squash[64 * logit + kHalf], kSeen);
      rows[slot] += " " + std::to_string(context - last) + " " + std::to_string(logit);
      last = context;
    }
  }
  std::vector<int32_t> weights = start.weights;
  std::vector<bool> used(kSelectors);
  for (std::size_t k = 0; k < files.size(); ++k) {  // in an order that mixes them
    Trainer trainer{start, start.table, weights, used};
    files[k * 7919 % files.size()].code(trainer);
  }
  for (int set = 0; set < kSelectors; ++set) {
    if (!used[set]) continue;
    std::printf("weights %d", set);
    for (int i = 0; i < kInputs; ++i) std::printf(" %d", weights[set * kInputs + i]);
    std::printf("\n");
  }
  for (int slot = 0; slot < kSlots; ++slot)
    std::printf("contexts %d%s\n", slot, rows[slot].c_str());
}
