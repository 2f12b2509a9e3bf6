#include "cuda/kernels_density.cuh"

namespace qcsim::cuda {

template void launch_density_forward(const Call<double>&, int, StreamHandle);
template void launch_density_adjoint(const Call<double>&, const Slopes<double>&, int, StreamHandle);

}  // namespace qcsim::cuda
