// Every CUDA call is checked, and runs on the device that the arrays are on.
#pragma once

#include <cuda_runtime.h>

#include <mutex>
#include <stdexcept>
#include <string>

namespace qcsim::cuda {

inline void checked(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(std::string("CUDA: ") + what + " failed: " + cudaGetErrorString(status));
}

// Makes a device the current one while it lives.
class DeviceGuard {
 public:
  explicit DeviceGuard(int device) : device_(device) {
    checked(cudaGetDevice(&before_), "cudaGetDevice");
    if (before_ != device_) checked(cudaSetDevice(device_), "cudaSetDevice");
  }
  ~DeviceGuard() {
    if (before_ != device_) cudaSetDevice(before_);
  }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  int device_, before_ = 0;
};

// Allows a kernel its shared memory, which beyond 48 KiB has to be asked for. What is allowed never shrinks: another
// thread may be about to launch the kernel with more.
template <class Kernel>
void allow_shared(Kernel kernel, std::size_t bytes, int device) {
  if (bytes <= std::size_t{48} << 10) return;
  int most = 0;
  checked(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "cudaDeviceGetAttribute");
  if (bytes > static_cast<std::size_t>(most)) {
    throw std::runtime_error("the states need " + std::to_string(bytes) + " bytes of shared memory, and device " +
                             std::to_string(device) + " has " + std::to_string(most) + "; use float32 or the CPU");
  }
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  cudaFuncAttributes now{};
  checked(cudaFuncGetAttributes(&now, kernel), "cudaFuncGetAttributes");
  if (now.maxDynamicSharedSizeBytes >= static_cast<int>(bytes)) return;
  checked(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
          "cudaFuncSetAttribute");
}

}  // namespace qcsim::cuda
