// The tables of a density matrix that a state vector does not have: channels, and readouts, which are linear in it.
// Called by device_plan.cpp.
#pragma once

#include <vector>

#include "cuda/tables.hpp"
#include "qcsim/readout.hpp"

namespace qcsim::cuda {

// Of a stored index in the state of a group: the bits of the samples are left open above the lowest.
struct Placement {
  int low_bits, sample_bits;
  Word operator()(Index index) const;
  Product operator()(const Pauli& pauli) const;
};

// Numbers of the precision of a plan.
class Scalars {
 public:
  explicit Scalars(bool single) : single_(single) {}
  Word size() const { return static_cast<Word>(single_ ? floats_.size() : doubles_.size()); }
  void push(double value);
  void push(const Scale& scale, int n_bits);  // all 2^n_bits factors
  std::vector<std::byte> bytes() const;

 private:
  bool single_;
  std::vector<float> floats_;
  std::vector<double> doubles_;
};

class DensityRows {
 public:
  DensityRows(const Program& program, const Placement& placed, bool single)
      : scalars(single), program_(program), placed_(placed) {}

  void add_channels();
  // columns, outputs and terms: the tables of readouts that state vectors have too.
  PartRow add(const Readout::Coefficients& part, std::vector<Product>& columns);
  PartRow add(const Readout::Expectations& part, std::vector<OutputRow>& outputs, std::vector<TermRow>& terms);

  std::vector<ScaleRow> scales;
  std::vector<FactorRow> factors;
  std::vector<Word> forms;
  std::vector<ChannelRow> channels;
  std::vector<Product> axes;
  std::vector<DiagonalRow> diagonals;
  std::vector<WordRow> words;
  std::vector<UseRow> uses;
  std::vector<Word> keeps;
  std::vector<PassRow> transforms;
  Scalars scalars;

 private:
  void add(const Scale& scale, bool with_table);
  void add(const Dense& dense);

  const Program& program_;
  Placement placed_;
};

}  // namespace qcsim::cuda
