// What the kernels need of the device; the same names exist in the emulator of the tests.
//
// In: NVRTC, or a C++ compiler with INSITU_EMULATOR defined. Out: indices, memory operations,
// barriers. No header of CUDA is needed, so that compilation at run time needs NVRTC alone.
#pragma once

#ifdef INSITU_EMULATOR
#include "emulator.hpp"
#else

typedef unsigned long long uint64;
typedef long long int64;

#define DEVICE __device__ __forceinline__
// Only after a brace or a statement: NVRTC takes `if constexpr (...) UNROLL for` for an empty `if`,
// and drops what follows.
#define UNROLL _Pragma("unroll")
// A kernel has one argument, by value.
#define KERNEL(name, Arguments, threads)                \
  extern "C" __global__ void __launch_bounds__(threads) \
      name(const __grid_constant__ Arguments arguments)

extern __shared__ __align__(16) char shared_bytes[];

DEVICE char* shared_memory() { return shared_bytes; }
DEVICE int thread_index() { return threadIdx.x; }
DEVICE int thread_count() { return blockDim.x; }
DEVICE int block_index() { return blockIdx.x; }
DEVICE int block_count() { return gridDim.x; }
DEVICE int row_index() { return blockIdx.y; }
DEVICE void wait_for_block() { __syncthreads(); }

// Nanoseconds.
DEVICE uint64 clock_time() {
  uint64 now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
}

DEVICE uint64 global_address(const void* p) { return __cvta_generic_to_global(p); }

// Loads that see what other multiprocessors have written: from the L2 cache.
DEVICE float load_current(const float* p) {
  float v;
  asm volatile("ld.global.cg.f32 %0, [%1];" : "=f"(v) : "l"(global_address(p)));
  return v;
}
DEVICE double load_current(const double* p) {
  double v;
  asm volatile("ld.global.cg.f64 %0, [%1];" : "=d"(v) : "l"(global_address(p)));
  return v;
}
DEVICE float2 load_current(const float2* p) {
  float2 v;
  asm volatile("ld.global.cg.v2.f32 {%0, %1}, [%2];"
               : "=f"(v.x), "=f"(v.y)
               : "l"(global_address(p)));
  return v;
}
DEVICE float4 load_current(const float4* p) {
  float4 v;
  asm volatile("ld.global.cg.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
               : "l"(global_address(p)));
  return v;
}

DEVICE void add(double* p, double v) {
  asm volatile("red.global.add.f64 [%0], %1;" ::"l"(global_address(p)), "d"(v));
}
DEVICE void add(float* p, float v) {
  asm volatile("red.global.add.f32 [%0], %1;" ::"l"(global_address(p)), "f"(v));
}
DEVICE void add(float2* p, float2 v) {
#if __CUDA_ARCH__ >= 900
  asm volatile("red.global.add.v2.f32 [%0], {%1, %2};" ::"l"(global_address(p)), "f"(v.x),
               "f"(v.y));
#else
  add(&p->x, v.x);
  add(&p->y, v.y);
#endif
}
DEVICE void add(float4* p, float4 v) {
#if __CUDA_ARCH__ >= 900
  asm volatile("red.global.add.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(global_address(p)), "f"(v.x),
               "f"(v.y), "f"(v.z), "f"(v.w));
#else
  add(&p->x, v.x);
  add(&p->y, v.y);
  add(&p->z, v.z);
  add(&p->w, v.w);
#endif
}

// Arrival at a barrier of several blocks in global memory; what this thread, and others of its
// block before wait_for_block, have written becomes visible to those that are released.
DEVICE void arrive(unsigned* counter) {
  asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(global_address(counter)) : "memory");
}
DEVICE void wait_until(const unsigned* counter, unsigned arrivals) {
  unsigned seen;
  do {
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];"
                 : "=r"(seen)
                 : "l"(global_address(counter))
                 : "memory");
  } while (static_cast<int>(seen - arrivals) < 0);
}

DEVICE double infinity() { return __longlong_as_double(0x7ff0000000000000ll); }

// The value of the thread of the warp whose number differs in `mask`.
DEVICE int shuffle(int v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
DEVICE float shuffle(float v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
DEVICE double shuffle(double v, int mask) {
  const int low = shuffle(__double2loint(v), mask), high = shuffle(__double2hiint(v), mask);
  return __hiloint2double(high, low);
}
#endif

// Over the 32 threads of a warp; every one gets the result.
template <typename T>
DEVICE T warp_sum(T v) {
  for (int mask = 16; mask > 0; mask /= 2) v += shuffle(v, mask);
  return v;
}
DEVICE double warp_max(double v) {
  for (int mask = 16; mask > 0; mask /= 2) v = fmax(v, shuffle(v, mask));
  return v;
}
DEVICE double warp_min(double v) { return -warp_max(-v); }

template <typename T>
DEVICE bool is_finite(T v) {
  return v - v == T(0);
}

DEVICE int smaller(int a, int b) { return a < b ? a : b; }
