// Launches of the kernels on a stream: no allocation, no synchronisation, every call checked. Written by kernels.cuh,
// called by the module _cuda, which needs no CUDA header.
#pragma once

#include <cstdint>
#include <string>

#include "cuda/draw.hpp"
#include "cuda/large_call.hpp"
#include "cuda/tables.hpp"

namespace qcsim::cuda {

using StreamHandle = std::uintptr_t;  // a cudaStream_t

// std::runtime_error with the device's own words.
template <class T>
void launch_forward(const Call<T>& call, int device, StreamHandle stream);
template <class T>
void launch_adjoint(const Call<T>& call, const Slopes<T>& slopes, int device, StreamHandle stream);
template <class T>
void launch_density_forward(const Call<T>& call, int device, StreamHandle stream);
template <class T>
void launch_density_adjoint(const Call<T>& call, const Slopes<T>& slopes, int device, StreamHandle stream);
template <class T>
void launch_large_forward(const Large<T>& large, const LargeStages& plan, int device, StreamHandle stream);
template <class T>
void launch_large_adjoint(const Large<T>& large, const LargeStages& plan, int device, StreamHandle stream);

// Parts of these, on the current device.
template <class T>
void launch_turns(const Call<T>& call, StreamHandle stream);
template <class T>
void launch_reduce(const Call<T>& call, const Slopes<T>& slopes, StreamHandle stream);

template <class T>
void launch_draw(const Draw<T>& draw, int device, StreamHandle stream);

struct DeviceFacts {
  std::string name;
  int major, minor, multiprocessors, shared_bytes;  // shared_bytes: of a block, at most
  int driver_version, runtime_version;
};
DeviceFacts device_facts(int device);

}  // namespace qcsim::cuda
