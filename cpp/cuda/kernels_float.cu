#include "cuda/kernels.cuh"

namespace qcsim::cuda {

template void launch_turns(const Call<float>&, StreamHandle);
template void launch_reduce(const Call<float>&, const Slopes<float>&, StreamHandle);
template void launch_forward(const Call<float>&, int, StreamHandle);
template void launch_adjoint(const Call<float>&, const Slopes<float>&, int, StreamHandle);

}  // namespace qcsim::cuda
