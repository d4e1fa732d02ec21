// The widest float vector of this build, and aligned scratch memory.
//
// GCC and Clang vector extensions: one source for AVX-512, AVX2, NEON and plain C++.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#if defined(__AVX__)
#include <immintrin.h>
#elif defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace insitu {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float vfloat __attribute__((vector_size(kLanes * sizeof(float)), may_alias));

typedef float vfloat_unaligned
    __attribute__((vector_size(kLanes * sizeof(float)), may_alias, aligned(4)));

inline vfloat load(const float* p) { return *reinterpret_cast<const vfloat*>(p); }
inline vfloat load_unaligned(const float* p) {
  return *reinterpret_cast<const vfloat_unaligned*>(p);
}
inline void store(float* p, vfloat v) { *reinterpret_cast<vfloat*>(p) = v; }
// x - 0 is x for every x, x + 0 is not for -0: only the former compiles to a broadcast.
inline vfloat splat(float x) { return x - vfloat{}; }

typedef int vint __attribute__((vector_size(kLanes * sizeof(int)), may_alias));

inline vint splat(int x) { return x - vint{}; }
inline vfloat to_float(vint v) { return __builtin_convertvector(v, vfloat); }
// Rounds towards zero; the result is undefined for values outside the range of int.
inline vint to_int(vfloat v) { return __builtin_convertvector(v, vint); }
inline vfloat least(vfloat a, vfloat b) { return a < b ? a : b; }
inline vfloat most(vfloat a, vfloat b) { return a > b ? a : b; }
inline vint least(vint a, vint b) { return a < b ? a : b; }

// 0, 1, 2, ... in the lanes.
inline vint lane_numbers() {
  vint v;
  for (int i = 0; i < kLanes; ++i) v[i] = i;
  return v;
}

// base[index] and base[index + 1] for every lane.
inline void gather_pairs(const float* base, vint index, vfloat& first, vfloat& second) {
#if defined(__AVX512F__)
  const auto i = reinterpret_cast<__m512i>(index);
  const auto* pairs = reinterpret_cast<const double*>(base);
  // With a full mask: the forms without a mask make GCC 12 warn of undefined values.
  const __mmask8 all = 0xff;
  const auto eight = [&](__m256i at) {
    return _mm512_castpd_ps(_mm512_mask_i32gather_pd(_mm512_setzero_pd(), all, at, pairs, 4));
  };
  const __m512 low = eight(_mm512_maskz_extracti64x4_epi64(all, i, 0));
  const __m512 high = eight(_mm512_maskz_extracti64x4_epi64(all, i, 1));
  const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  first = reinterpret_cast<vfloat>(_mm512_permutex2var_ps(low, even, high));
  second = reinterpret_cast<vfloat>(_mm512_permutex2var_ps(low, odd, high));
#elif defined(__AVX2__)
  first = reinterpret_cast<vfloat>(_mm256_i32gather_ps(base, reinterpret_cast<__m256i>(index), 4));
  second =
      reinterpret_cast<vfloat>(_mm256_i32gather_ps(base + 1, reinterpret_cast<__m256i>(index), 4));
#else
  for (int i = 0; i < kLanes; ++i) {
    first[i] = base[index[i]];
    second[i] = base[index[i] + 1];
  }
#endif
}

// The lanes where a comparison is true, as a bit mask.
inline unsigned lanes_of(vint mask) {
#if defined(__AVX512F__)
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(mask));
#elif defined(__AVX__)
  return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256>(mask)));
#else
  unsigned lanes = 0;
  for (int i = 0; i < kLanes; ++i) lanes |= static_cast<unsigned>(mask[i] & 1) << i;
  return lanes;
#endif
}

// Stores the lanes of v selected by the mask contiguously; up to kLanes floats are written at `to`.
inline void store_lanes(float* to, vfloat v, unsigned lanes) {
#if defined(__AVX512F__)
  _mm512_storeu_ps(
      to, _mm512_maskz_compress_ps(static_cast<__mmask16>(lanes), reinterpret_cast<__m512>(v)));
#else
  for (int i = 0; i < kLanes; ++i) {
    *to = v[i];
    to += lanes >> i & 1;
  }
#endif
}

// The even blocks (with kOdd, the odd ones) of kBlock lanes of a and b, interleaved.
template <int kBlock, bool kOdd, int... I>
inline vfloat blocks_of(vfloat a, vfloat b, std::integer_sequence<int, I...>) {
#define INSITU_LANE \
  (I / (2 * kBlock) * 2 * kBlock + I % kBlock + (kOdd ? kBlock : 0) + (I / kBlock % 2) * kLanes)
#if defined(__clang__)
  return __builtin_shufflevector(a, b, INSITU_LANE...);
#else
  typedef int vint __attribute__((vector_size(kLanes * sizeof(int))));
  return __builtin_shuffle(a, b, vint{INSITU_LANE...});
#endif
#undef INSITU_LANE
}

// Lane i of the result is the sum of the lanes of v[i]; v is overwritten.
template <int kBlock = 1>
inline vfloat sum_each(vfloat* v) {
  if constexpr (kBlock < kLanes) {
    constexpr auto lanes = std::make_integer_sequence<int, kLanes>{};
    for (int i = 0; i < kLanes / kBlock; i += 2)
      v[i / 2] = blocks_of<kBlock, false>(v[i], v[i + 1], lanes) +
                 blocks_of<kBlock, true>(v[i], v[i + 1], lanes);
    return sum_each<2 * kBlock>(v);
  } else {
    return v[0];
  }
}

inline float sum(vfloat v) {
  float total = v[0];
  for (int i = 1; i < kLanes; ++i) total += v[i];
  return total;
}

// The features of one entry of a table: N floats, unaligned.
template <int N>
struct Entry {
  typedef float type __attribute__((vector_size(N * sizeof(float)), may_alias, aligned(4)));
};
template <>
struct Entry<1> {
  typedef float type;
};
template <int N>
using entry_t = typename Entry<N>::type;

// Flushes denormal numbers to zero on this thread during its lifetime: decaying moments of Adam, or
// data near 1e-38, would cost up to 15 % of the speed without changing the result.
class FlushDenormals {
 public:
#if defined(__SSE__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }  // FTZ, DAZ
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#else
  FlushDenormals() {}
  ~FlushDenormals() {}
#endif
};

// Fixed-size, 64-byte aligned, zero-initialized array. Allocated once: the training loop allocates
// no memory per step.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    data_ = static_cast<T*>(::operator new(size * sizeof(T), std::align_val_t{64}));
    std::memset(static_cast<void*>(data_), 0, size * sizeof(T));
  }
  ~Buffer() { release(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept : data_(other.data_), size_(other.size_) {
    other.data_ = nullptr;
    other.size_ = 0;
  }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      release();
      data_ = other.data_;
      size_ = other.size_;
      other.data_ = nullptr;
      other.size_ = 0;
    }
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  void release() {
    if (data_) ::operator delete(static_cast<void*>(data_), std::align_val_t{64});
  }
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace insitu
