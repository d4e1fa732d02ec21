// Samples to and from the numbers of a transform: scaling, and the errors of what it decodes to.
//
// In: raw samples, origin and unit of a component. Out: rows of float32; sums of errors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace insitu::sparse {

// Whether all of some numbers are finite.
template <typename T>
inline bool all_finite(const T* values, long count) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  constexpr Bits kExponent = sizeof(T) == 4 ? Bits{0x7f800000u} : Bits(0x7ff0000000000000u);
  Bits any = 0;
  for (long i = 0; i < count; ++i) {  // without branches, so that it is vectorised
    Bits bits;
    std::memcpy(&bits, values + i, sizeof(bits));
    any |= (bits & kExponent) == kExponent;
  }
  return any == 0;
}

// (raw - origin) / unit, in double precision.
template <typename T>
struct Scale {
  double origin, unit;

  void operator()(const T* from, long count, float* to) const {
    const double inverse = 1.0 / unit;
    if (std::isnormal(inverse))
      for (long i = 0; i < count; ++i)
        to[i] = static_cast<float>((static_cast<double>(from[i]) - origin) * inverse);
    else
      for (long i = 0; i < count; ++i)
        to[i] = static_cast<float>((static_cast<double>(from[i]) - origin) / unit);
  }
};

// Errors of origin + extent * output as a T, at finite samples.
template <typename T>
class ErrorSum {
 public:
  ErrorSum(double origin, double extent) : origin_(origin), extent_(extent) {}

  void add(const float* in, const T* truth, long count) {
    for (long begin = 0; begin < count; begin += kTogether)
      some(in + begin, truth + begin, std::min(kTogether, count - begin));
  }

  double squares() const {
    double total = 0.0;
    for (const double lane : squares_) total += lane;
    return total;
  }
  double most() const { return *std::max_element(most_, most_ + kWide); }
  long count() const { return count_; }

 private:
  static constexpr long kTogether = 512, kWide = 8;

  void some(const float* in, const T* truth, long n) {
    double errors[kTogether];
    for (long i = 0; i < n; ++i) {  // without branches, so that it is vectorised
      const T value = static_cast<T>(static_cast<double>(in[i]) * extent_ + origin_);
      errors[i] = std::fabs(static_cast<double>(value) - static_cast<double>(truth[i]));
    }
    count_ += n;
    if (!all_finite(truth, n))
      for (long i = 0; i < n; ++i)
        if (!std::isfinite(truth[i])) {
          errors[i] = 0.0;
          --count_;
        }
    for (long i = n; i % kWide; ++i) errors[i] = 0.0;
    double squares[kWide], most[kWide];
    std::copy_n(squares_, kWide, squares);
    std::copy_n(most_, kWide, most);
    for (long i = 0; i < n; i += kWide)
      for (long lane = 0; lane < kWide; ++lane) {
        const double e = errors[i + lane];
        squares[lane] += e * e;
        most[lane] = e > most[lane] ? e : most[lane];
      }
    std::copy_n(squares, kWide, squares_);
    std::copy_n(most, kWide, most_);
  }

  double origin_, extent_, squares_[kWide] = {}, most_[kWide] = {};
  long count_ = 0;
};

}  // namespace insitu::sparse
