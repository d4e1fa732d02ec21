// Runs kernels on the CPU: every thread is a fiber; barriers and exchanges between threads are
// where fibers wait for each other. It finds wrong results, wrong indices and missing barriers; not
// races, nor what a GPU's memory or speed would show.
//
// In: a kernel and the shape of its launch. Out: its effects on memory. One launch at a time.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <vector>

typedef unsigned long long uint64;
typedef long long int64;

struct float2 {
  float x, y;
};
struct float4 {
  float x, y, z, w;
};

namespace emulator {

constexpr int kWarpSize = 32;
constexpr std::size_t kStack = 256 << 10;

struct Block;

struct Fiber {
  Block* block;
  int thread;
  bool started = false, finished = false;
  jmp_buf state;
  ucontext_t first;
  char* stack;
};

// Threads that wait for each other; `values` are what they exchange.
struct Meeting {
  int members = 0, arrived = 0;
  unsigned generation = 0;
  double values[2][kWarpSize];
};

struct Block {
  int x, y;
  std::vector<char> shared;
  Meeting all;
  std::vector<Meeting> warps;
  std::vector<Fiber> fibers;
};

struct Launch {
  int blocks = 0, threads = 0;
  std::function<void()> kernel;
  jmp_buf scheduler;
  Fiber* current = nullptr;
};

inline Launch launch;
inline std::vector<char*> free_stacks;

inline void yield() {
  if (_setjmp(launch.current->state) == 0) _longjmp(launch.scheduler, 1);
}

inline void start() {
  Fiber* self = launch.current;
  launch.kernel();
  self->finished = true;
  // A thread that has returned is not waited for.
  --self->block->all.members;
  _longjmp(launch.scheduler, 1);
}

inline void resume(Fiber& fiber) {
  launch.current = &fiber;
  if (_setjmp(launch.scheduler) != 0) return;
  if (fiber.started) _longjmp(fiber.state, 1);
  fiber.started = true;
  getcontext(&fiber.first);
  fiber.first.uc_stack.ss_sp = fiber.stack;
  fiber.first.uc_stack.ss_size = kStack;
  fiber.first.uc_link = nullptr;
  makecontext(&fiber.first, start, 0);
  setcontext(&fiber.first);
}

inline void meet(Meeting& meeting) {
  const unsigned generation = meeting.generation;
  if (++meeting.arrived >= meeting.members) {
    meeting.arrived = 0;
    ++meeting.generation;
    return;
  }
  while (meeting.generation == generation) {
    yield();
    if (meeting.arrived >= meeting.members && meeting.generation == generation) {
      meeting.arrived = 0;
      ++meeting.generation;
    }
  }
}

// One pass lets every thread go on until it has to wait. Passes alternate in direction: a thread
// that overwrites what another still has to read does so before it in one of two passes.
inline void run_blocks(std::vector<Block>& blocks) {
  std::vector<Fiber*> waiting;
  for (Block& block : blocks)
    for (Fiber& fiber : block.fibers) waiting.push_back(&fiber);
  while (!waiting.empty()) {
    for (Fiber* fiber : waiting) resume(*fiber);
    const auto finished = [](const Fiber* fiber) {
      return fiber->finished;
    };
    waiting.erase(std::remove_if(waiting.begin(), waiting.end(), finished), waiting.end());
    std::reverse(waiting.begin(), waiting.end());
  }
}

inline Block make_block(int x, int y, int threads, std::size_t shared) {
  Block block{x, y, std::vector<char>(shared, static_cast<char>(0xff)), {}, {}, {}};
  block.all.members = threads;
  block.warps.resize((threads + kWarpSize - 1) / kWarpSize);
  for (Meeting& warp : block.warps) warp.members = kWarpSize;
  block.fibers.resize(threads);
  return block;
}

inline void give_stacks(Block& block) {
  for (std::size_t i = 0; i < block.fibers.size(); ++i) {
    Fiber& fiber = block.fibers[i];
    fiber.block = &block;
    fiber.thread = static_cast<int>(i);
    if (free_stacks.empty())
      free_stacks.push_back(static_cast<char*>(std::aligned_alloc(64, kStack)));
    fiber.stack = free_stacks.back();
    free_stacks.pop_back();
  }
}

inline void take_stacks(Block& block) {
  for (Fiber& fiber : block.fibers) free_stacks.push_back(fiber.stack);
}

// shape: blocks along x and y, threads, bytes of shared memory, whether all blocks run at once.
inline void run(const int* shape, std::function<void()> kernel) {
  launch.blocks = shape[0];
  launch.threads = shape[2];
  launch.kernel = std::move(kernel);
  std::vector<Block> blocks;
  const auto run_those = [&] {
    for (Block& block : blocks) give_stacks(block);
    run_blocks(blocks);
    for (Block& block : blocks) take_stacks(block);
    blocks.clear();
  };
  for (int y = 0; y < shape[1]; ++y)
    for (int x = 0; x < shape[0]; ++x) {
      blocks.push_back(make_block(x, y, shape[2], static_cast<std::size_t>(shape[3])));
      if (!shape[4]) run_those();
    }
  run_those();
}

}  // namespace emulator

#define DEVICE static inline
#define UNROLL
#define KERNEL(name, Arguments, threads)                                \
  static void name##_thread(const Arguments& arguments);                \
  extern "C" void name(const int* shape, const void* given) {           \
    const Arguments& arguments = *static_cast<const Arguments*>(given); \
    emulator::run(shape, [&arguments] { name##_thread(arguments); });   \
  }                                                                     \
  extern "C" std::size_t name##_bytes() { return sizeof(Arguments); }   \
  static void name##_thread(const Arguments& arguments)

DEVICE char* shared_memory() { return emulator::launch.current->block->shared.data(); }
DEVICE int thread_index() { return emulator::launch.current->thread; }
DEVICE int thread_count() { return emulator::launch.threads; }
DEVICE int block_index() { return emulator::launch.current->block->x; }
DEVICE int block_count() { return emulator::launch.blocks; }
DEVICE int row_index() { return emulator::launch.current->block->y; }
DEVICE void wait_for_block() { emulator::meet(emulator::launch.current->block->all); }

DEVICE uint64 clock_time() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

template <typename T>
DEVICE T load_current(const T* p) {
  return *p;
}
DEVICE void add(double* p, double v) { *p += v; }
DEVICE void add(float* p, float v) { *p += v; }
DEVICE void add(float2* p, float2 v) { *p = {p->x + v.x, p->y + v.y}; }
DEVICE void add(float4* p, float4 v) { *p = {p->x + v.x, p->y + v.y, p->z + v.z, p->w + v.w}; }

DEVICE void arrive(unsigned* counter) { ++*counter; }
DEVICE void wait_until(const unsigned* counter, unsigned arrivals) {
  while (static_cast<int>(*counter - arrivals) < 0) emulator::yield();
}

DEVICE double infinity() { return HUGE_VAL; }
template <typename T>
DEVICE T shuffle(T v, int mask) {
  emulator::Fiber& self = *emulator::launch.current;
  emulator::Meeting& warp = self.block->warps[self.thread / emulator::kWarpSize];
  const int lane = self.thread % emulator::kWarpSize;
  double* const values = warp.values[warp.generation % 2];
  values[lane] = v;
  emulator::meet(warp);
  return static_cast<T>(values[lane ^ mask]);
}

DEVICE float sinpif(float v) {
  return static_cast<float>(std::sin(M_PI * std::remainder(v, 2.0f)));
}
DEVICE float cospif(float v) {
  return static_cast<float>(std::cos(M_PI * std::remainder(v, 2.0f)));
}
DEVICE double cospi(double v) { return std::cos(M_PI * v); }
