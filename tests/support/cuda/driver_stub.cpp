// Stands for NVIDIA's driver: one range of host memory is said to be a device's, and what is copied
// from it is counted. Built and loaded by test_driver_memory.py, in a process of its own.
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {
std::uint64_t first = 0, last = 0, managed = 0, copied = 0;
int contexts = 0;
}  // namespace

extern "C" {
void stub_device(std::uint64_t address, std::uint64_t nbytes, std::uint64_t is_managed) {
  first = address;
  last = address + nbytes;
  managed = is_managed;
}
std::uint64_t stub_copied() { return copied; }
int stub_contexts() { return contexts; }

int cuPointerGetAttribute(void* data, int attribute, std::uint64_t address) {
  if (address < first || address >= last) return 1;
  if (attribute == 1) *static_cast<std::uint64_t*>(data) = 7;
  if (attribute == 2) *static_cast<unsigned*>(data) = 2;
  if (attribute == 8) *static_cast<unsigned*>(data) = static_cast<unsigned>(managed);
  return 0;
}
int cuMemcpyDtoH_v2(void* to, std::uint64_t from, std::size_t nbytes) {
  if (contexts != 1 || from < first || from + nbytes > last) return 201;
  std::memcpy(to, reinterpret_cast<const void*>(from), nbytes);
  copied += nbytes;
  return 0;
}
int cuCtxPushCurrent_v2(void*) { return ++contexts, 0; }
int cuCtxPopCurrent_v2(void**) { return --contexts, 0; }
}
