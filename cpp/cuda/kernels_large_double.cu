#include "cuda/kernels_large.cuh"

namespace qcsim::cuda {

template void launch_large_forward(const Large<double>&, const LargeStages&, int, StreamHandle);
template void launch_large_adjoint(const Large<double>&, const LargeStages&, int, StreamHandle);

}  // namespace qcsim::cuda
