// Chooses the instruction set at run time, from one source compiled several times. QCSIM_ISA in the environment forces
// one. The choice is made at the first call.
#pragma once

#include <string>
#include <vector>

#include "qcsim/cpu/kernels.hpp"

namespace qcsim::cpu {

template <class T>
const Kernels<T>& kernels();  // std::invalid_argument when QCSIM_ISA asks for what is not there

std::string instruction_set();                         // the chosen one
std::vector<std::string> compiled_instruction_sets();  // from the plainest to the widest

}  // namespace qcsim::cpu
