#include "cuda/checked.cuh"
#include "cuda/launch.hpp"

namespace qcsim::cuda {

DeviceFacts device_facts(int device) {
  int n_devices = 0;
  checked(cudaGetDeviceCount(&n_devices), "the search for a GPU");
  if (device < 0 || device >= n_devices) {
    throw std::runtime_error("device " + std::to_string(device) + " is outside 0.." + std::to_string(n_devices - 1));
  }
  DeviceFacts facts{};
  cudaDeviceProp properties{};
  checked(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  facts.name = static_cast<const char*>(properties.name);
  facts.major = properties.major;
  facts.minor = properties.minor;
  facts.multiprocessors = properties.multiProcessorCount;
  facts.shared_bytes = static_cast<int>(properties.sharedMemPerBlockOptin);
  checked(cudaDriverGetVersion(&facts.driver_version), "cudaDriverGetVersion");
  checked(cudaRuntimeGetVersion(&facts.runtime_version), "cudaRuntimeGetVersion");
  return facts;
}

}  // namespace qcsim::cuda
