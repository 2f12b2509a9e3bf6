// Chooses the instruction set at run time, from one source compiled several times. QCSIM_ISA in the environment forces
// one. The choice is made at the first call.
#pragma once

#include <string>
#include <vector>

#include "qcsim/cpu/kernels.hpp"

namespace qcsim::cpu {

// With the full registers of the machine. std::invalid_argument when QCSIM_ISA asks for what is not there.
template <class T>
const Kernels<T>& kernels();

// Those for tiles of 2^n_bits rows: with fewer lanes where two such tiles then fit the first-level cache (9 qubits in
// float32: 2.6 us forward and backward a sample against 3.0, Zen 4), and where the batch is small. A sample's numbers
// are the same bits in each.
template <class T>
const Kernels<T>& tile_kernels(int n_bits, std::size_t batch);

std::string instruction_set();                         // the chosen one
std::vector<std::string> compiled_instruction_sets();  // from the plainest to the widest

}  // namespace qcsim::cpu
