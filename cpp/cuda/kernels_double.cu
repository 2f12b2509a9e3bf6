#include "cuda/kernels.cuh"

namespace qcsim::cuda {

template void launch_turns(const Call<double>&, StreamHandle);
template void launch_reduce(const Call<double>&, const Slopes<double>&, StreamHandle);
template void launch_forward(const Call<double>&, int, StreamHandle);
template void launch_adjoint(const Call<double>&, const Slopes<double>&, int, StreamHandle);

}  // namespace qcsim::cuda
