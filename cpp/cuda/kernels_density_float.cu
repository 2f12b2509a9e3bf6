#include "cuda/kernels_density.cuh"

namespace qcsim::cuda {

template void launch_density_forward(const Call<float>&, int, StreamHandle);
template void launch_density_adjoint(const Call<float>&, const Slopes<float>&, int, StreamHandle);

}  // namespace qcsim::cuda
