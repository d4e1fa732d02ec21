// Probabilities of binary decisions, mixed from several contexts, in integers only: an encoder and
// a decoder on different machines compute the same bits.
//
// In: contexts, decisions. Out: bytes, and back. Every context has an adaptive probability; their
// logits are weighted, and the weights are trained online by the coding error (logistic mixing:
// Mahoney, "Adaptive weighing of context models for lossless data compression", 2005). The
// reference is insitu/models/sparse_grid/mixing.py.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace insitu::sparse {

constexpr int kSlots = 7;           // contexts of a decision
constexpr int kContexts = 1 << 15;  // of each slot
constexpr int kSelectors = 64;      // sets of weights
constexpr int kHalf = 2048;         // logits are in -kHalf .. kHalf - 1, in units of 1/256

// Tables of the logistic function. The rounded values are far from ties (tests hold them), so any
// correct `exp` and `log` give the same integers.
struct Logistic {
  std::array<uint16_t, 2 * kHalf> squash;  // logit -> probability of 1, times 2^16
  std::array<int16_t, 4096> stretch;       // probability's upper 12 bits -> logit
  std::array<int32_t, 256> rate;           // observations -> share of the next one, times 2^16

  Logistic() {
    for (int i = 0; i < 2 * kHalf; ++i)
      squash[i] = static_cast<uint16_t>(
          std::lround(65536.0 / (1.0 + std::exp(-(i - kHalf + 0.25) / 256.0))));
    for (int i = 0; i < 4096; ++i) {
      const double p = (i + 0.5) / 4096;
      stretch[i] = static_cast<int16_t>(
          std::clamp<long>(std::lround(256.0 * std::log(p / (1.0 - p))), -kHalf, kHalf - 1));
    }
    for (int n = 0; n < 256; ++n) rate[n] = 655360 / (10 * n + 16);
  }
};

inline const Logistic kLogistic;

using Contexts = std::array<int, kSlots>;

constexpr int kInputs = kSlots + 1;  // and a constant

inline int16_t input_of(int32_t one, int seen) {
  constexpr int kConfidence[8] = {0, 8, 11, 13, 14, 15, 16, 16};
  return static_cast<int16_t>(kLogistic.stretch[one >> 4] * kConfidence[std::min(seen, 7)] / 16);
}

// Of a context, so that zeros are its first state.
struct Probability {
  uint16_t shifted = 0;  // probability of 1, times 2^16, less a half
  uint16_t seen = 0;
  int16_t input = 0;  // its logit; what has rarely been seen says little

  void learn(int bit) {
    const int32_t one = shifted ^ 0x8000, goal = bit ? 65535 : 0;
    const auto next = static_cast<int32_t>(
        one + ((static_cast<int64_t>(goal - one) * kLogistic.rate[seen]) >> 16));
    if (seen < kMostSeen) ++seen;
    shifted = static_cast<uint16_t>(next ^ 0x8000);
    input = input_of(next, seen);
  }

 private:
  static constexpr int kMostSeen = 160;
};

// What a mixer knows at first.
struct Start {
  std::vector<Probability> table;
  std::vector<int32_t> weights;
  int decided = 0;   // decisions that a set of weights has learned from
  int patience = 1;  // the larger, the longer these learn fast

  Start(int32_t weight, int decided_, int patience_)
      : table(kSlots * kContexts),
        weights(kSelectors * kInputs, weight),
        decided(decided_),
        patience(patience_) {}

  // Nothing: payloads of `kFirstCoding`.
  static const Start& first() {
    static const Start start(20000, 0, 1);
    return start;
  }

  // one: probability of 1, times 2^16; seen: observations that this is worth.
  void set(int slot, int context, int32_t one, int seen) {
    Probability& p = table[slot * kContexts + context];
    p.shifted = static_cast<uint16_t>(one ^ 0x8000);
    p.seen = static_cast<uint16_t>(seen);
    p.input = input_of(one, seen);
  }
};

// The probability of the next decision, and what is learned from it.
class Mixer {
 public:
  explicit Mixer(const Start& start)
      : table_(start.table),
        weights_(start.weights),
        decided_(kSelectors, start.decided),
        fast_(32 * start.patience) {}

  // -> probability of 1, times 2^16
  uint32_t predict(const Contexts& contexts, int selector) {
    weight_ = &weights_[selector * kInputs];
    selector_ = selector;
    int64_t sum = static_cast<int64_t>(weight_[kSlots]) * 256;
    for (int i = 0; i < kSlots; ++i) {
      Probability& p = table_[i * kContexts + contexts[i]];
      slot_[i] = &p;
      input_[i] = p.input;
      sum += static_cast<int64_t>(weight_[i]) * input_[i];
    }
    const int64_t logit = std::clamp<int64_t>(sum >> 16, -kHalf, kHalf - 1);
    p_ = kLogistic.squash[logit + kHalf];
    return p_;
  }

  void learn(int bit) {
    const int32_t error = (bit << 16) - static_cast<int32_t>(p_);
    int& n = decided_[selector_];
    const int shift = n < fast_ ? 13 : n < 8 * fast_ ? 14 : n < 64 * fast_ ? 15 : 16;
    if (n < 64 * fast_) ++n;
    // Below 2^11 and 2^16 + 1: the products are 32-bit numbers.
    for (int i = 0; i < kInputs; ++i) weight_[i] += (input_[i] * error) >> shift;
    for (Probability* p : slot_) p->learn(bit);
  }

 private:
  std::vector<Probability> table_;
  std::vector<int32_t> weights_;
  std::vector<int> decided_;
  int fast_;  // decisions that a set of weights learns from fastest
  std::array<Probability*, kSlots> slot_{};
  std::array<int32_t, kInputs> input_{0, 0, 0, 0, 0, 0, 0, 256};
  int32_t* weight_ = nullptr;
  int selector_ = 0;
  uint32_t p_ = 32768;
};

// Arithmetic coding of decisions: an interval of 32-bit numbers that each decision narrows.
class Encoder {
 public:
  static constexpr bool kDecodes = false;

  explicit Encoder(const Start& start) : mixer_(start) {}

  int code(int bit, const Contexts& contexts, int selector) {
    const uint32_t p = mixer_.predict(contexts, selector);
    const uint32_t middle = low_ + static_cast<uint32_t>((uint64_t{high_ - low_} * p) >> 16);
    if (bit) high_ = middle;
    else low_ = middle + 1;
    for (; (low_ ^ high_) >> 24 == 0; low_ <<= 8, high_ = high_ << 8 | 255)
      bytes_.push_back(static_cast<uint8_t>(high_ >> 24));
    mixer_.learn(bit);
    return bit;
  }

  // The shortest bytes that, followed by zeros, lie in the interval.
  std::vector<uint8_t> finish() {
    for (int kept = 0; kept <= 4; ++kept) {
      const uint32_t mask = kept == 0 ? 0 : ~uint32_t{0} << (32 - 8 * kept);
      const uint32_t value = high_ & mask;
      if (value < low_) continue;
      for (int i = 0; i < kept; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (24 - 8 * i)));
      break;
    }
    while (!bytes_.empty() && bytes_.back() == 0) bytes_.pop_back();
    return std::move(bytes_);
  }

 private:
  Mixer mixer_;
  uint32_t low_ = 0, high_ = ~uint32_t{0};
  std::vector<uint8_t> bytes_;
};

class Decoder {
 public:
  static constexpr bool kDecodes = true;

  Decoder(const uint8_t* bytes, std::size_t count, const Start& start)
      : mixer_(start), next_(bytes), end_(bytes + count) {
    for (int i = 0; i < 4; ++i) value_ = value_ << 8 | byte();
  }

  int code(int, const Contexts& contexts, int selector) {
    const uint32_t p = mixer_.predict(contexts, selector);
    const uint32_t middle = low_ + static_cast<uint32_t>((uint64_t{high_ - low_} * p) >> 16);
    const int bit = value_ <= middle;
    if (bit) high_ = middle;
    else low_ = middle + 1;
    for (; (low_ ^ high_) >> 24 == 0; low_ <<= 8, high_ = high_ << 8 | 255)
      value_ = value_ << 8 | byte();
    mixer_.learn(bit);
    return bit;
  }

  // Whether more than the few zeros that `Encoder::finish` leaves out was read past the end:
  // the bytes are not those of an encoder.
  bool exhausted() const { return past_ > kMostPast; }

 private:
  static constexpr long kMostPast = 1 << 16;

  uint32_t byte() {
    if (next_ < end_) return *next_++;
    ++past_;
    return 0;
  }

  Mixer mixer_;
  uint32_t low_ = 0, high_ = ~uint32_t{0}, value_ = 0;
  const uint8_t *next_, *end_;
  long past_ = 0;
};

}  // namespace insitu::sparse
