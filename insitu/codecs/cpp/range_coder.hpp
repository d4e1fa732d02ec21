// A range coder: symbols of known frequencies as 32-bit words, and back.
//
// Martin 1979; with carries as in "inverted" intervals (Bamler 2022, arXiv:2201.01741, the package
// constriction), whose words these are: 64 bits of state, frequencies that add up to 2^24.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace insitu::coding {

constexpr int kPrecision = 24;
constexpr uint32_t kWhole = uint32_t{1} << kPrecision;
constexpr uint64_t kLeast = uint64_t{1} << 32;  // of the interval's length

class RangeEncoder {
 public:
  // A symbol that takes [left, left + width) of the 2^24.
  void encode(uint32_t left, uint32_t width) {
    const uint64_t scale = range_ >> kPrecision;
    const uint64_t lower = lower_ + scale * left;
    range_ = scale * width;
    if (held_ > 0 && lower + range_ > lower) {
      release(lower < lower_);
    }
    lower_ = lower;
    if (range_ >= kLeast) return;
    const auto word = static_cast<uint32_t>(lower_ >> 32);
    range_ <<= 32;
    lower_ <<= 32;
    if (held_ > 0) {
      ++held_;
    } else if (lower_ + range_ > lower_) {
      words_.push_back(word);
    } else {  // the interval wraps: a carry may still change this word
      held_ = 1;
      first_ = word;
    }
  }

  // The words, after the last symbol.
  std::vector<uint32_t> finish() {
    if (range_ == ~uint64_t{0}) return words_;
    const uint64_t point = lower_ + (kLeast - 1);
    if (held_ > 0) release(point < lower_);
    const auto word = static_cast<uint32_t>(point >> 32);
    words_.push_back(word);
    if (static_cast<uint32_t>((lower_ + range_) >> 32) == word) words_.push_back(0);
    return words_;
  }

 private:
  // Writes the words held back; the sum of them and what followed did or did not carry.
  void release(bool carry) {
    words_.push_back(first_ + (carry ? 1 : 0));
    words_.insert(words_.end(), held_ - 1, carry ? 0 : ~uint32_t{0});
    held_ = 0;
  }

  uint64_t lower_ = 0, range_ = ~uint64_t{0};
  std::size_t held_ = 0;
  uint32_t first_ = 0;
  std::vector<uint32_t> words_;
};

class RangeDecoder {
 public:
  RangeDecoder(const unsigned char* bytes, std::size_t n_words) : bytes_(bytes), left_(n_words) {
    point_ = uint64_t{next()} << 32;
    point_ |= next();
  }

  // Where in the 2^24 the next symbol lies. Throws std::invalid_argument for words of no encoder.
  uint32_t quantile() const {
    const uint64_t at = (point_ - lower_) / (range_ >> kPrecision);
    if (at >= kWhole) throw std::invalid_argument("not a range-coded stream");
    return static_cast<uint32_t>(at);
  }

  // Goes on behind the symbol that `quantile` was found in.
  void skip(uint32_t left, uint32_t width) {
    const uint64_t scale = range_ >> kPrecision;
    lower_ += scale * left;
    range_ = scale * width;
    if (range_ >= kLeast) return;
    lower_ <<= 32;
    range_ <<= 32;
    point_ = point_ << 32 | next();
  }

 private:
  uint32_t next() {  // zeros behind the end
    if (left_ == 0) return 0;
    --left_;
    uint32_t word = 0;
    for (int i = 3; i >= 0; --i) word = word << 8 | bytes_[i];
    bytes_ += 4;
    return word;
  }

  const unsigned char* bytes_;
  std::size_t left_;
  uint64_t lower_ = 0, range_ = ~uint64_t{0}, point_ = 0;
};

}  // namespace insitu::coding
