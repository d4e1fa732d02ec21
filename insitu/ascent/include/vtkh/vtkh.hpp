// What simulations that call Ascent ask of VTK-h before they do, nekRS for example. There is no
// VTK-h here, and nothing to choose: insitu computes on the CPUs that the run file gives it.
#pragma once

namespace vtkh {

namespace detail {
inline int& communicator() {
  static int handle = -1;
  return handle;
}
}  // namespace detail

inline void SetMPICommHandle(int handle) { detail::communicator() = handle; }
inline int GetMPICommHandle() { return detail::communicator(); }
inline bool IsMPIEnabled() { return true; }

inline bool IsSerialAvailable() { return true; }
inline bool IsOpenMPAvailable() { return false; }
inline bool IsCUDAAvailable() { return false; }
inline bool IsKokkosAvailable() { return false; }
inline int CUDADeviceCount() { return 0; }
inline void SelectCUDADevice(int) {}
inline void SelectKokkosDevice(int) {}
inline void InitializeKokkos() {}
inline void ForceSerial() {}
inline void ForceOpenMP() {}
inline void ForceCUDA() {}
inline void ForceKokkos() {}
inline void ResetDevices() {}

}  // namespace vtkh
