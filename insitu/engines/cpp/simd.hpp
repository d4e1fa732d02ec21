// The widest float vector of this build, and aligned scratch memory.
//
// GCC and Clang vector extensions: one source for AVX-512, AVX2, NEON and plain C++.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>

namespace insitu {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float vfloat __attribute__((vector_size(kLanes * sizeof(float)), may_alias));

inline vfloat load(const float* p) { return *reinterpret_cast<const vfloat*>(p); }
inline void store(float* p, vfloat v) { *reinterpret_cast<vfloat*>(p) = v; }
inline vfloat splat(float x) { return vfloat{} + x; }

// Sum of the lanes, by halves.
template <int N>
inline float sum_lanes(const float* v) {
  typedef float half __attribute__((vector_size(N / 2 * sizeof(float)), may_alias, aligned(4)));
  alignas(64) float folded[N / 2];
  *reinterpret_cast<half*>(folded) =
      *reinterpret_cast<const half*>(v) + *reinterpret_cast<const half*>(v + N / 2);
  if constexpr (N == 4) return folded[0] + folded[1];
  else return sum_lanes<N / 2>(folded);
}

inline float sum(vfloat v) {
  alignas(64) float lanes[kLanes];
  store(lanes, v);
  return sum_lanes<kLanes>(lanes);
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
