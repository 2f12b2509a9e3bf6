#include "qcsim/wide.hpp"

#include <stdexcept>
namespace qcsim {
template <class T>
WideExecution<T>::WideExecution(const Compiled& c, const Readout& r, const Inputs<T>& i, const Shift&)
    : Execution<T>(c, r, i) {
  throw std::invalid_argument("too many qubits");
}
template <class T>
void WideExecution<T>::run(Rows<T>, bool, int) {}
template <class T>
void WideExecution<T>::adjoint(Rows<const T>, const Gradients<T>&, int) {}
template class WideExecution<float>;
template class WideExecution<double>;
}  // namespace qcsim
