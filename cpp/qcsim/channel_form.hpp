// A channel as the methods of noise need it, worked out once for all places where it stands. Called by program.
#pragma once

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "qcsim/channel.hpp"

namespace qcsim {

struct ChannelForm {
  std::vector<std::complex<double>> superoperator;  // superoperator.hpp
  std::optional<std::vector<double>> diagonal;      // of it, if it is nothing else: a mixture of Pauli matrices
  // Of the words X^u Z^v of that mixture, in the order of the superoperator's entries.
  std::optional<std::vector<double>> word_probabilities;
  // Of a trajectory: the Kraus operators that are not zero, each times the phase that makes its largest entry real,
  // and, where all are sqrt(p_k) times a unitary, these weights; else none.
  std::vector<Matrix> operators;
  std::vector<double> weights;
};

class ChannelForms {
 public:
  const ChannelForm& of(const Instruction& channel);

 private:
  std::deque<std::pair<Instruction, ChannelForm>> known_;  // each on qubits 0, 1, ...
};

}  // namespace qcsim
