// The widest float vector of this build, and aligned scratch memory.
//
// GCC and Clang vector extensions: one source for AVX-512, AVX2, NEON and plain C++.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#if defined(__SSE__)
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

// Lanes of a and b, in blocks of kBlock in turn: even blocks of both, or with kOdd their odd ones.
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

// The features of one entry of a table: N floats, at any address.
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

// While it lives, denormal numbers are zero on this thread: a moment of Adam that fades out, or
// data near 1e-38, would cost up to 15 % of the speed and change nothing.
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

// Fixed-size, 64-byte aligned, zeroed array. Allocated once, never grown: the training loop
// allocates nothing per step.
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
