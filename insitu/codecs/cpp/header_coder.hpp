// Values of headers as decisions of an adaptive arithmetic coder; the reference, which explains the
// format, is insitu/codecs/arithmetic.py and insitu/codecs/header_values.py.
//
// In: values, the place of each, what is expected there. Out: bytes; or from bytes, the values.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace insitu::headers {

__extension__ typedef __int128 Wide;  // differences of 64-bit numbers

// What is wrong with bytes, or with values.
struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Probability that a bit is set, in units of 2^-16; and how many bits it was learned from.
struct Chance {
  int32_t p = 1 << 15;
  int32_t seen = 0;

  void learn(bool bit) {
    static constexpr int kWhole = 1 << 16, kLeast = 24;  // no bit is certain
    static const std::array<int32_t, 31> rates = [] {
      std::array<int32_t, 31> made{};
      for (int n = 0; n < 31; ++n) made[n] = static_cast<int32_t>(kWhole / (n + 1.6) + 0.5);
      return made;
    }();
    const int64_t off = (bit ? kWhole : 0) - p;
    p += static_cast<int32_t>((off * rates[seen]) >> 16);
    p = std::min(std::max(p, kLeast), kWhole - kLeast);
    if (seen < 30) ++seen;
  }
};

// Of both directions: a decoder ignores what is wanted. The range is 40 to 48 bits wide.
class Coder {
 public:
  Coder() = default;
  explicit Coder(std::string data) : decodes_(true), data_(std::move(data)) {
    for (; at_ < kHigh / 8; ++at_) code_ = code_ << 8 | next(at_);
  }

  bool bit(Chance& chance, bool wanted) {
    const uint64_t bound = (range_ >> 16) * static_cast<uint64_t>(chance.p);
    const bool found = decodes_ ? code_ < bound : wanted;
    if (found) {
      range_ = bound;
    } else {
      (decodes_ ? code_ : low_) += decodes_ ? 0 - bound : bound;
      range_ -= bound;
    }
    chance.learn(found);
    shift();
    return found;
  }

  // A number of n bits of which nothing is expected.
  Wide bits(int n, Wide wanted) {
    Wide found = 0;
    for (int at = 0; at < n; at += kChunk) {
      const int m = std::min(kChunk, n - at);
      const uint64_t most = (uint64_t{1} << m) - 1;
      range_ >>= m;
      const uint64_t part =
          decodes_ ? std::min(code_ / range_, most) : static_cast<uint64_t>(wanted >> at) & most;
      (decodes_ ? code_ : low_) += decodes_ ? 0 - part * range_ : part * range_;
      found |= static_cast<Wide>(part) << at;
      shift();
    }
    return found;
  }

  // The bytes of an encoder, without zeros at their end.
  std::string finish() {
    for (int zeros = kHigh; zeros >= 0; --zeros) {  // the number that ends in most zeros
      const uint64_t unit = uint64_t{1} << zeros, value = (low_ + unit - 1) / unit * unit;
      if (value >= low_ + range_) continue;
      low_ = value;
      break;
    }
    for (int i = 0; i < kHigh / 8; ++i) byte();
    while (!data_.empty() && data_.back() == '\0') data_.pop_back();
    return data_;
  }

 private:
  static constexpr int kLow = 40, kHigh = 48, kChunk = 16;

  uint64_t next(std::size_t at) const {
    return at < data_.size() ? static_cast<unsigned char>(data_[at]) : 0;
  }

  void shift() {
    for (; range_ < uint64_t{1} << kLow; range_ <<= 8) {
      if (decodes_) code_ = (code_ << 8 | next(at_++)) & ((uint64_t{1} << kHigh) - 1);
      else byte();
    }
  }

  void byte() {
    const uint64_t top = low_ >> kLow;
    if (top > 255) {
      std::size_t at = data_.size() - 1;
      for (; static_cast<unsigned char>(data_[at]) == 255; --at) data_[at] = '\0';
      data_[at] = static_cast<char>(static_cast<unsigned char>(data_[at]) + 1);
    }
    data_.push_back(static_cast<char>(top & 255));
    low_ = (low_ & ((uint64_t{1} << kLow) - 1)) << 8;
  }

  bool decodes_ = false;
  std::string data_;  // read, or written so far
  std::size_t at_ = 0;
  uint64_t code_ = 0, low_ = 0, range_ = uint64_t{1} << kHigh;
};

// By key; what an earlier one has is copied when it is first looked up.
template <typename T>
class Layered {
 public:
  explicit Layered(std::shared_ptr<Layered> below = nullptr) : below_(std::move(below)) {}

  T* find(const std::string& key) {
    const auto there = own_.find(key);
    if (there != own_.end()) return &there->second;
    const T* found = below_ ? below_->find(key) : nullptr;
    return found ? &(own_[key] = *found) : nullptr;
  }

  T& operator[](const std::string& key) { return own_[key]; }

  template <typename Visit>
  void for_each(Visit&& visit) {
    for (auto& [key, one] : own_) visit(one);
  }

 private:
  std::unordered_map<std::string, T> own_;
  std::shared_ptr<Layered> below_;
};

// A number; of a float, its 64 bits; or a text.
struct Value {
  bool is_text = false;
  Wide number = 0;
  std::string text{};

  bool operator==(const Value& other) const {
    return is_text == other.is_text && number == other.number && text == other.text;
  }
};

using Chances = Layered<Chance>;
using Recent = Layered<std::vector<Value>>;

class Values {
 public:
  // take: counts what comes of the bytes, and throws where it is too much.
  Values(std::shared_ptr<Coder> coder, std::shared_ptr<Chances> chances,
         std::shared_ptr<Recent> recent, std::function<void(int64_t)> take)
      : coder_(std::move(coder)),
        chances_(std::move(chances)),
        recent_(std::move(recent)),
        take_(std::move(take)) {}

  bool flag(const std::string& key, bool wanted, const std::string* like) {
    const std::string general = like ? 'F' + *like : "";
    return decision('F' + key, wanted, like ? &general : nullptr);
  }

  int tree(const std::string& key, int n_bits, int wanted) {
    return branch('T' + key, n_bits, wanted, nullptr);
  }

  // wanted: null in decoding. expected: the likeliest first; not empty.
  Value value(char kind, const std::string& place, const Value* given,
              const std::vector<Value>& expected) {
    take_(1);
    const Value& wanted = given ? *given : expected[0];
    if (kind == 'b') {
      const std::string general = "b";
      const char first = static_cast<char>(expected[0].number);
      return {false, decision('B' + place + first, wanted.number != 0, &general), {}};
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto end = expected.begin() + static_cast<long>(i);
      if (std::find(expected.begin(), end, expected[i]) != end) continue;
      const std::string general = {'K', kind, static_cast<char>(i)};
      if (decision('P' + place + static_cast<char>(i), wanted == expected[i], &general))
        return remember(place, expected[i]);
    }
    std::vector<Value> others;  // of the last ones there
    if (const auto* last = recent_->find(place))
      for (const Value& one : *last)
        if (std::find(expected.begin(), expected.end(), one) == expected.end())
          others.push_back(one);
    const auto there = std::find(others.begin(), others.end(), wanted);
    const std::string general = {'r', kind};
    if (!others.empty() && decision('R' + place, there != others.end(), &general)) {
      const int at = there == others.end() ? 0 : static_cast<int>(there - others.begin());
      const int found = branch('A' + place, kRecentBits, at, nullptr);
      return remember(place, others[std::min<std::size_t>(found, others.size() - 1)]);
    }
    return remember(place, fresh(kind, place, wanted, expected[0]));
  }

  Wide number(const std::string& place, Wide wanted) { return whole(place, wanted, 0, 'i'); }

  std::string text(const std::string& place, const std::string& wanted) {
    const Wide n = number(place + " length", static_cast<Wide>(wanted.size()));
    if (n < 0) throw Wrong("headers: a text of less than no letters");
    take_(n > kMost ? kMost : static_cast<int64_t>(n));
    std::string found;
    const std::string general = "l";
    int last = 0;
    for (std::size_t at = 0; at < static_cast<std::size_t>(n); ++at) {
      const int given = at < wanted.size() ? static_cast<unsigned char>(wanted[at]) : 0;
      last = branch({'L', static_cast<char>(last)}, 8, given, &general);
      found.push_back(static_cast<char>(last));
    }
    return found;
  }

 private:
  static constexpr int kRecentBits = 4, kLengthBits = 7;
  static constexpr std::size_t kRecent = 16;
  static constexpr int32_t kFollowed = 3;  // how far a chance of a more general place is trusted
  static constexpr int64_t kMost = int64_t{1} << 62;
  static constexpr int kZeros[5] = {52, 48, 40, 29, 0};  // at the end of a float

  Chance& chance(const std::string& key, const std::string* like) {
    if (Chance* found = chances_->find(key)) return *found;
    Chance made;
    if (like) {
      made = chance(*like, nullptr);
      made.seen = std::min(made.seen, kFollowed);
    }
    return (*chances_)[key] = made;
  }

  bool decision(const std::string& key, bool wanted, const std::string* like) {
    return coder_->bit(chance(key, like), wanted);
  }

  // A number of n_bits, the upper bits first.
  int branch(const std::string& key, int n_bits, int wanted, const std::string* like) {
    int node = 1;
    std::string full = key + '\0', general = like ? *like + '\0' : "";
    for (int at = n_bits - 1; at >= 0; --at) {
      full.back() = static_cast<char>(node);
      if (like) general.back() = static_cast<char>(node);
      node = node << 1 | decision(full, wanted >> at & 1, like ? &general : nullptr);
    }
    return node - (1 << n_bits);
  }

  // like: 'i', or the zeros that were left out of a float.
  Wide whole(const std::string& key, Wide wanted, Wide expected, int like) {
    const Wide difference = wanted - expected, size = difference < 0 ? -difference : difference;
    int length = 0;
    while (size >> length) ++length;
    const std::string general = {'n', static_cast<char>(like)}, down = "d";
    const int n = branch('N' + key, kLengthBits, length, &general);
    if (n == 0) return expected;
    if (n > 66) throw Wrong("headers: a number of more than 64 bits");
    const bool less = decision('D' + key, difference < 0, &down);
    const Wide top = static_cast<Wide>(1) << (n - 1);
    const Wide found = top | coder_->bits(n - 1, size & (top - 1));
    return less ? expected - found : expected + found;
  }

  Value fresh(char kind, const std::string& place, const Value& wanted, const Value& expected) {
    if (kind == 's' || kind == 'z') return {true, 0, text(std::string(1, kind), wanted.text)};
    constexpr Wide kSign = static_cast<Wide>(1) << 63;
    if (kind == 'i') {
      const Wide found = whole(place, wanted.number, expected.number, 'i');
      if (found < -kSign || found >= kSign) throw Wrong("headers: a number of more than 64 bits");
      return {false, found, {}};
    }
    int fitting = 0;
    while (wanted.number & ((static_cast<Wide>(1) << kZeros[fitting]) - 1)) ++fitting;
    const std::string general = "z";
    const int zeros = kZeros[std::min(branch('Z' + place, 3, fitting, &general), 4)];
    const auto ordered = [&](Wide bits) {  // larger for larger floats
      const Wide size = (bits & (kSign - 1)) >> zeros;
      return bits & kSign ? ~size : size;
    };
    const Wide found = whole(place + ' ' + std::to_string(zeros), ordered(wanted.number),
                             ordered(expected.number), zeros);
    const Wide size = found >= 0 ? found : ~found;
    if (size >= kSign >> zeros) throw Wrong("headers: a number of more than 64 bits");
    return {false, size << zeros | (found >= 0 ? 0 : kSign), {}};
  }

  const Value remember(const std::string& place, Value value) {
    std::vector<Value>* last = recent_->find(place);
    if (!last) last = &(*recent_)[place];
    else if (last->front() == value) return value;
    last->erase(std::remove(last->begin(), last->end(), value), last->end());
    last->insert(last->begin(), value);
    if (last->size() > kRecent) last->resize(kRecent);
    return value;
  }

  std::shared_ptr<Coder> coder_;
  std::shared_ptr<Chances> chances_;
  std::shared_ptr<Recent> recent_;
  std::function<void(int64_t)> take_;
};

}  // namespace insitu::headers
