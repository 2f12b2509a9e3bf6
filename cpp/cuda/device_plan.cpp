#include "cuda/device_plan.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "cuda/cosets.hpp"
#include "cuda/density_rows.hpp"
#include "cuda/direct_memory.hpp"
#include "qcsim/plan.hpp"

namespace qcsim::cuda {
namespace {

// A factor is at least the root of a half: so many rotations, and the state has grown by 2^24 at most.
constexpr std::size_t max_stretched = 48;

AngleRow angle_row(const Angle& angle, bool per_sample_weights) {
  const Word source = angle.source == Angle::Source::weight    ? AngleRow::weight
                      : angle.source == Angle::Source::feature ? AngleRow::feature
                                                               : AngleRow::constant;
  const bool varying = source == AngleRow::feature || (source == AngleRow::weight && per_sample_weights);
  return {angle.scale, angle.shift, source, static_cast<Word>(angle.index), varying ? 1U : 0U};
}

class Writer {
 public:
  Writer(const Program& program, const Readout& readout, Shape& shape, bool single)
      : placed{shape.low_bits, shape.sample_bits},
        density(program, placed, single),
        program_(program),
        readout_(readout),
        shape_(shape) {}

  void run() {
    for (const Rotation& rotation : program_.rotations()) {
      rotations.push_back({angle_row(rotation.angle, shape_.per_sample_weights != 0), placed(rotation.generator)});
    }
    for (const Angle& phase : program_.phases()) phases.push_back(angle_row(phase, shape_.per_sample_weights != 0));
    if (program_.is_density()) {
      density.add_channels();
    } else {
      for (const Flip& flip : program_.flips()) add(flip);
      for (const Dense& dense : program_.denses()) add(dense);
      place_barriers();
    }
    add_steps();
    if (program_.is_density()) {
      add_transforms();
      for (const auto& part : readout_.coefficients()) parts.push_back(density.add(part, columns));
      for (const auto& part : readout_.expectations()) parts.push_back(density.add(part, outputs, terms));
    } else {
      if (readout_.program().is_complex()) imaginary_ = placed(program_.final_frame().x(program_.n_qubits()));
      for (const auto& part : readout_.probabilities()) add(part);
      for (const auto& part : readout_.expectations()) add(part);
      for (const auto& part : readout_.states()) add(part);
    }
    add_sums();
    const bool direct = can_go_direct();
    mark_rescaling(direct);
    if (direct) add_direct();
  }

  std::vector<StepRow> steps;
  std::vector<StageRow> stages;  // of a large state
  std::vector<BlockRow> blocks;
  std::vector<PassRow> passes;
  std::vector<Leader> leaders;
  std::vector<OperationRow> operations;
  std::vector<RotationRow> rotations;
  std::vector<AngleRow> phases;
  std::vector<FlipRow> flips;
  std::vector<DenseRow> denses;
  std::vector<Product> controls, entries;
  std::vector<double> numbers;
  std::vector<PartRow> parts;
  std::vector<OutcomeRow> outcomes;
  std::vector<OutputRow> outputs;
  std::vector<TermRow> terms;
  std::vector<Product> columns;
  std::vector<SumRow> weight_sums;
  std::vector<Word> sum_places;
  const Placement placed;
  DensityRows density;
  std::vector<Word> seats, exits;

 private:
  template <class Row>
  static Word size(const std::vector<Row>& rows) {
    return static_cast<Word>(rows.size());
  }

  // Of a place, the stored index.
  Index stored(Word place) const {
    const Word low = (Word{1} << shape_.low_bits) - 1;
    return (place & low) | (place >> (shape_.low_bits + shape_.sample_bits)) << shape_.low_bits;
  }
  static Word bits_reversed(Word bits) {
    Word found = 0;
    for (int j = 0; j < 32; ++j) found |= (bits >> j & 1) << (31 - j);
    return found;
  }
  void add(const Flip& flip) {
    flips.push_back({placed(flip.action), 0, size(controls), size(flip.controls)});
    for (const Pauli& control : flip.controls) controls.push_back(placed(control));
  }

  void add(const Dense& dense) {
    const std::size_t n_axes = dense.axes.x.size();
    denses.push_back({static_cast<Word>(n_axes), 0, size(controls), size(entries), size(numbers)});
    for (const Pauli& z : dense.axes.z) controls.push_back(placed(z));
    for (std::size_t i = 0; i < std::size_t{1} << n_axes; ++i) {
      Pauli product;
      for (std::size_t axis = 0; axis < n_axes; ++axis) {
        if ((i >> (n_axes - 1 - axis) & 1) != 0) product = dense.axes.x[axis] * product;
      }
      entries.push_back(placed(product));
    }
    numbers.insert(numbers.end(), dense.matrix.begin(), dense.matrix.end());
  }

  void place_barriers() {
    for (const Segment& segment : program_.segments()) {
      if (segment.flip >= 0) flips[static_cast<std::size_t>(segment.flip)].rotations = static_cast<Word>(segment.last);
      if (segment.dense >= 0)
        denses[static_cast<std::size_t>(segment.dense)].rotations = static_cast<Word>(segment.last);
    }
  }

  void add_steps() {
    const int k = shape_.register_bits;
    const Layout layout = is_large(shape_)
                              ? Layout{0, 0, shape_.bits, false, k, lane_bits, true}
                              : Layout{0, program_.is_density() ? 0 : k, program_.n_bits(), false, k, 0, true};
    for (const Stage& stage : plan(program_, layout)) {
      if (stage.lossy()) add_keep();
      if (is_large(shape_) && !stage.passes.empty()) {
        stages.push_back({StageRow::block, size(blocks), size(passes), size(stage.passes)});
        add_block(stage);
      }
      for (const Pass& pass : stage.passes) {
        steps.push_back({StepRow::pass, size(passes)});
        add(pass);
        turned_ = turned_ || turns(pass);
      }
      if (program_.is_density()) {
        add_channel(stage);
        continue;
      }
      if (stage.flip != nullptr) {
        const auto index = static_cast<Word>(stage.flip - program_.flips().data());
        steps.push_back({StepRow::flip, index});
        stages.push_back({StageRow::flip, index, 0, 0});
      }
      if (stage.dense != nullptr) {
        const auto index = static_cast<Word>(stage.dense - program_.denses().data());
        steps.push_back({StepRow::dense, index});
        stages.push_back({StageRow::dense, index, 0, 0});
      }
    }
    if (program_.is_density()) add_keep();
  }

  bool turns(const Pass& pass) const {
    return std::any_of(pass.operations.begin(), pass.operations.end(), [&](const Operation& operation) {
      return rotations[operation.rotation].angle.source != AngleRow::constant;
    });
  }

  // In front of what cannot be undone the state is kept, if a gradient is read on the way back from there.
  void add_keep() {
    if (!std::exchange(turned_, false)) return;
    steps.push_back({StepRow::keep, size(density.keeps)});
    stages.push_back({StageRow::keep, size(density.keeps), 0, 0});
    density.keeps.push_back(size(passes));
  }

  void add_channel(const Stage& stage) {
    if (stage.scale != nullptr) {
      const auto index = static_cast<Word>(stage.scale - program_.scales().data());
      steps.push_back({StepRow::scale, index});
      stages.push_back({StageRow::scale, index, 1, 0});
    }
    if (stage.dense != nullptr) {
      const auto index = static_cast<Word>(stage.dense - program_.denses().data());
      steps.push_back({StepRow::channel, index});
      stages.push_back({StageRow::channel, index, stage.dense->lossy ? 1U : 0U, 0});
    }
  }

  // Passes over the bits of v, as many at a time as a thread holds.
  void add_transforms() {
    const int n_bits = std::max(std::min(shape_.n_bits, shape_.bits), shape_.register_bits);
    const int last = std::min(program_.n_qubits(), n_bits);
    for (int first = 0; first < last; first += shape_.register_bits) {
      Pass pass;
      pass.width = std::min(shape_.register_bits, last - first);
      std::vector<Index> bits;
      for (int j = pass.width - 1; j >= 0; --j) bits.push_back(power_of_two(first + j));
      pass.members = span_in_order(bits);
      const auto width = static_cast<std::size_t>(shape_.register_bits);
      const std::vector<Index> basis = completed(program_, pass, n_bits, width);
      PassRow row{{}, size(leaders), 0, static_cast<Word>(pass.width), 0};
      for (std::size_t j = 0; j < width; ++j) row.basis[j] = placed(basis[j]);
      add_leaders(pass, basis, n_bits);
      density.transforms.push_back(row);
    }
  }

  // The block of a stage: a basis whose first vectors are the lowest bits, each of the others with a bit of its own.
  void add_block(const Stage& stage) {
    const Pass& pass = stage.passes.front();
    Span span;
    const auto take = [&](Index vector) {
      vector &= ~bits_below(lane_bits);
      if (span.reduced(vector) != 0) span.add(vector);
    };
    for (const Index member : pass.members) take(member);
    for (const Index leader : pass.leaders) take(leader);
    block_ = span;
    BlockRow row{};
    for (int j = 0; j < lane_bits; ++j) row.basis[j] = power_of_two(j);
    std::copy(span.vectors().begin(), span.vectors().end(), row.basis + lane_bits);
    Index owned = bits_below(lane_bits);
    for (const Index pivot : span.pivots()) owned |= pivot;
    Word* free = row.free;
    for (int bit = 0; bit < shape_.n_bits; ++bit) {
      if ((owned & power_of_two(bit)) == 0) *free++ = power_of_two(bit);
    }
    blocks.push_back(row);
  }
  // A vector of the block in its basis; of a state that is no block, itself.
  Index local(Index vector) const {
    if (!is_large(shape_)) return vector;
    Index found = vector & bits_below(lane_bits);
    for (std::size_t j = 0; j < block_.size(); ++j) {
      if ((vector & block_.pivots()[j]) != 0) found |= power_of_two(lane_bits + static_cast<int>(j));
    }
    return found;
  }
  // Signs as the places in a block see them.
  Index local_signs(Index signs) const {
    if (!is_large(shape_)) return signs;
    Index found = signs & bits_below(lane_bits);
    for (std::size_t j = 0; j < block_.size(); ++j) {
      if (odd_overlap(signs, block_.vectors()[j])) found |= power_of_two(lane_bits + static_cast<int>(j));
    }
    return found;
  }

  void add(Pass pass) {
    if (pass.plain) put_in_order(pass);
    const auto width = static_cast<std::size_t>(shape_.register_bits);
    const int n_bits = std::max(std::min(shape_.n_bits, shape_.bits), shape_.register_bits);
    std::vector<Index> basis = completed(program_, pass, n_bits, width);
    last_basis_ = basis;
    for (Index& vector : basis) vector = local(vector);
    PassRow row{{}, size(leaders), size(operations), size(pass.operations), pass.plain ? PassRow::plain : 0U};
    for (std::size_t j = 0; j < width; ++j) row.basis[j] = placed(basis[j]);
    for (const Operation& operation : pass.operations) {
      const Pauli& generator = program_.rotations()[operation.rotation].generator;
      Word parities = 0;
      for (Word i = 0; i < power_of_two(shape_.register_bits); ++i) {
        Index member = 0;
        for (std::size_t j = 0; j < width; ++j) member ^= (i >> j & 1) != 0 ? basis[j] : 0;
        if (odd_overlap(local_signs(generator.signs), member)) parities |= Word{1} << i;
      }
      const auto rotation = static_cast<Word>(operation.rotation);
      const Word varying = rotations[operation.rotation].angle.varying;
      operations.push_back(
          {rotation, static_cast<Word>(operation.pattern >> pass.width), parities, varying, placed(generator.signs)});
      if (varying != 0) row.flags |= PassRow::general | PassRow::general_back;
    }
    add_leaders(pass, basis, n_bits);
    last_pass_ = pass;
    shape_.max_operations = std::max(shape_.max_operations, row.count);
    passes.push_back(row);
  }

  // The operations of a plain pass commute: those of lower bits first, so that the first pass of a circuit holds what
  // neighbouring loads bring.
  static void put_in_order(Pass& pass) {
    std::vector<std::size_t> order(pass.operations.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto vector = [&](std::size_t k) { return pass.members[std::size_t{1} << k]; };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return vector(a) < vector(b); });
    std::vector<Index> basis;
    std::vector<Operation> operations;
    for (const std::size_t k : order) {
      basis.push_back(vector(k));
      operations.push_back({pass.operations[k].rotation, pass.operations[operations.size()].pattern, 0});
    }
    pass.operations = std::move(operations);
    for (std::size_t k = 0; k < basis.size(); ++k) pass.members[std::size_t{1} << k] = basis[k];
  }

  void add_leaders(const Pass& pass, const std::vector<Index>& basis, int n_bits) {
    const int own = n_bits - shape_.register_bits;  // thread bits of one sample
    const std::vector<Leader> found = leaders_of(pass, leaders_basis(basis, n_bits, std::min(own, lane_bits)));
    leaders.insert(leaders.end(), found.begin(), found.end());
  }

  // vectors: whose sums the leaders of a sample's threads are.
  std::vector<Leader> leaders_of(const Pass& pass, const std::vector<Index>& vectors) const {
    std::vector<Leader> found;
    const std::size_t own = vectors.size();
    for (Word thread = 0; thread < power_of_two(shape_.thread_bits); ++thread) {
      Index leader = 0;
      for (std::size_t j = 0; j < own; ++j) leader ^= (thread >> j & 1) != 0 ? vectors[j] : 0;
      Leader row{placed(leader) | (thread >> own) << shape_.low_bits, 0};
      for (std::size_t j = 0; j < pass.operations.size(); ++j) {
        const Pauli& generator = program_.rotations()[pass.operations[j].rotation].generator;
        if (odd_overlap(local_signs(generator.signs), leader)) row.signs |= Word{1} << j;
      }
      found.push_back(row);
    }
    return found;
  }

  // Whether the circuit is real, all of it plain passes whose angles the batch shares, the first of which holds
  // amplitudes as they are loaded, and what is read are the probabilities of all outcomes.
  bool can_go_direct() const {
    if (program_.is_density()) return false;
    if (is_large(shape_) || shape_.is_complex != 0 || shape_.embeds == 0 || shape_.complex_input != 0) return false;
    const int vector_bits = shape_.register_bits - 2;  // 4 floats, 2 doubles
    if (shape_.low_bits < vector_bits || !phases.empty() || shape_.n_bits < shape_.register_bits) return false;
    if (steps.size() != passes.size() || passes.size() < 2 || passes.size() > most_direct_passes) return false;
    const auto is_plain = [](const PassRow& pass) { return (pass.flags & PassRow::plain) != 0; };
    const auto varies = [](const OperationRow& operation) { return operation.varying != 0; };
    if (!std::all_of(passes.begin(), passes.end(), is_plain)) return false;
    if (std::any_of(operations.begin(), operations.end(), varies)) return false;
    if (parts.size() != 1 || parts[0].kind != PartRow::probabilities || parts[0].n_rows != 0) return false;
    for (int k = 0; k < shape_.register_bits; ++k) {
      if (passes.front().basis[k] != Word{1} << (shape_.thread_bits + k)) return false;
    }
    for (Word thread = 0; thread < power_of_two(shape_.thread_bits); ++thread) {
      if (leaders[thread].place != thread) return false;
    }
    return true;
  }

  void add_direct() {
    const Word width = shape_.register_bits == held_bits<float> ? sizeof(float) : sizeof(double);
    shape_.ways = Shape::direct;
    for (const PassRow& pass : passes) {
      if ((pass.flags & PassRow::general) != 0) shape_.ways |= Shape::general_forward;
      if ((pass.flags & PassRow::general_back) != 0) shape_.ways |= Shape::general_back;
    }
    // Which outcome a place has, the other way round than the readout says it.
    const Readout::Probabilities& part = readout_.probabilities().front();
    std::vector<Index> outcome_at(part.outcomes.size());
    for (std::size_t outcome = 0; outcome < part.outcomes.size(); ++outcome) {
      outcome_at[part.outcomes[outcome]] = static_cast<Index>(outcome);
    }
    const int own = shape_.n_bits - shape_.register_bits;
    const std::vector<Index> vectors =
        leaders_apart(leaders_basis(last_basis_, shape_.n_bits, std::min(own, lane_bits)), last_basis_,
                      std::min(own, lane_bits), outcome_at);
    const std::vector<Leader> found = leaders_of(last_pass_, vectors);
    std::copy(found.begin(), found.end(), leaders.begin() + static_cast<std::ptrdiff_t>(passes.back().leaders));
    for (const Leader& leader : leaders) seats.push_back(leader.place * width | bits_reversed(leader.signs));
    for (std::size_t k = 0; k < quad_size; ++k) {
      exits.push_back(k < last_basis_.size() ? placed(outcome_at[last_basis_[k]]) * width : 0);
    }
    const auto exit = [&](Word place) {
      const Word sample = place & ((n_samples(shape_) - 1) << shape_.low_bits);
      return (placed(outcome_at[stored(place ^ sample)]) | sample) * width;
    };
    for (const Leader& leader : found) exits.push_back(exit(leader.place));
    for (int bit = 0; bit < shape_.bits; ++bit) exits.push_back(exit(Word{1} << bit));
    exits.push_back(placed(outcome_at[part.origin]) * width);
  }

  // Where a pass takes the divided-out factors into the state: known beforehand, whatever the angles. The direct way
  // goes back from a state that has them.
  void mark_rescaling(bool direct) {
    std::size_t stretched = 0;
    const auto mark = [&](PassRow& pass, Word general, Word rescale) {
      if ((pass.flags & general) != 0) return;
      if (stretched + pass.count > max_stretched) {
        pass.flags |= general | rescale;
        stretched = 0;
      } else {
        stretched += pass.count;
      }
    };
    for (PassRow& pass : passes) mark(pass, PassRow::general, PassRow::rescale);
    if (direct) stretched = 0;
    for (auto pass = passes.rbegin(); pass != passes.rend(); ++pass) {
      mark(*pass, PassRow::general_back, PassRow::rescale_back);
    }
    for (const PassRow& pass : passes) {
      if ((pass.flags & (PassRow::general | PassRow::general_back)) != 0) shape_.has_general = 1;
    }
  }

  void add(const Readout::Probabilities& part) {
    const auto log2 = [](std::size_t n) { return static_cast<Word>(std::countr_zero(n)); };
    const Word measured = log2(part.outcomes.size()), others = log2(part.rest.size());
    PartRow row{};
    row.kind = PartRow::probabilities;
    row.first = static_cast<Word>(part.first);
    row.n_outputs = measured;
    row.row = size(outcomes);
    row.n_rows = others;
    row.origin = placed(part.origin);
    row.offset = (1.0 - program_.retained()) / static_cast<double>(part.outcomes.size());
    std::vector<OutcomeRow> found;
    for (Word j = 0; j < measured; ++j) found.push_back({Word{1} << j, placed(part.outcomes[std::size_t{1} << j])});
    spread_banks(found);
    for (Word j = 0; j < others; ++j) found.push_back({0, placed(part.rest[std::size_t{1} << j])});
    outcomes.insert(outcomes.end(), found.begin(), found.end());
    parts.push_back(row);
  }

  // The lanes of a warp take the first five columns. Eight neighbouring outcomes fill a sector of memory; the other
  // columns are those that keep lanes apart in the banks.
  static void spread_banks(std::vector<OutcomeRow>& rows) {
    constexpr Word banks = 31;
    Span span;
    for (std::size_t slot = 0; slot < std::min<std::size_t>(rows.size(), lane_bits); ++slot) {
      const auto at = rows.begin() + static_cast<std::ptrdiff_t>(slot);
      auto found = at;
      if (slot >= 3) {
        found =
            std::find_if(at, rows.end(), [&](const OutcomeRow& row) { return span.reduced(row.flips & banks) != 0; });
        if (found == rows.end()) found = at;
      }
      std::iter_swap(at, found);
      if (span.reduced(at->flips & banks) != 0) span.add(at->flips & banks);
    }
  }

  void add(const Readout::Expectations& part) {
    PartRow row{};
    row.kind = PartRow::expectations;
    row.first = static_cast<Word>(part.first);
    row.n_outputs = row.n_rows = static_cast<Word>(part.n_outputs);
    shape_.max_outputs = std::max(shape_.max_outputs, row.n_rows);
    row.row = size(outputs);
    for (std::size_t output = 0; output < part.n_outputs; ++output) {
      OutputRow own{size(terms), 0, part.constants[output]};
      for (std::size_t t = 0; t < part.outputs.size(); ++t) {
        if (part.outputs[t] == output) terms.push_back({part.weights[t], placed(part.words[part.word_of[t]])});
      }
      own.n_terms = size(terms) - own.first_term;
      outputs.push_back(own);
    }
    parts.push_back(row);
  }

  void add(const Readout::State& part) {
    const Frame& frame = program_.final_frame();
    PartRow row{};
    row.kind = PartRow::state;
    row.first = static_cast<Word>(part.first);
    row.row = size(columns);
    row.n_rows = static_cast<Word>(program_.n_qubits());
    row.origin = placed(frame.origin().index);
    row.origin_negative = frame.origin().negative ? 1U : 0U;
    row.imaginary = imaginary_;
    for (int qubit = program_.n_qubits() - 1; qubit >= 0; --qubit) columns.push_back(placed(frame.x(qubit)));
    parts.push_back(row);
    shape_.has_state = 1;
  }

  // Of each shared weight, the sums that make its gradient.
  void add_sums() {
    std::vector<std::vector<Word>> places;
    const auto collect = [&](const AngleRow& angle, Word place) {
      if (angle.source != AngleRow::weight || angle.varying != 0) return;
      if (places.size() <= angle.index) places.resize(angle.index + 1);
      places[angle.index].push_back(place);
    };
    for (Word j = 0; j < size(operations); ++j) collect(rotations[operations[j].rotation].angle, j);
    for (Word j = 0; j < size(phases); ++j) collect(phases[j], size(operations) + j);
    for (const auto& own : places) {
      weight_sums.push_back({size(sum_places), size(own)});
      sum_places.insert(sum_places.end(), own.begin(), own.end());
    }
    shape_.n_weights = size(weight_sums);
  }

  const Program& program_;
  const Readout& readout_;
  Shape& shape_;
  Product imaginary_;
  Span block_;
  bool turned_ = false;  // some angle, since a state was kept
  Pass last_pass_;
  std::vector<Index> last_basis_;
};

std::size_t padded(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

}  // namespace

DevicePlan::DevicePlan(const Program& given, const Readout& readout, bool single, bool per_sample_weights) {
  if (!given.jumps().empty()) throw std::invalid_argument("trajectories do not run on a GPU; use the CPU");
  // A pass holds both rotations of an angle, which flip the same bits.
  std::optional<Program> apart;
  if (given.joins_sides()) apart = given.with_sides_apart();
  const Program& program = apart ? *apart : given;
  const int n_register_bits = single ? held_bits<float> : held_bits<double>;
  const int held = std::max(program.n_bits(), n_register_bits);
  shape_.n_qubits = program.n_qubits();
  shape_.n_bits = program.n_bits();
  shape_.register_bits = n_register_bits;
  const bool large = held > n_register_bits + max_thread_bits;
  shape_.bits = large ? n_register_bits + block_thread_bits : std::max(held, n_register_bits + lane_bits);
  shape_.thread_bits = shape_.bits - n_register_bits;
  shape_.sample_bits = large ? 0 : shape_.bits - held;
  shape_.low_bits = large ? 0 : held - n_register_bits;
  shape_.is_complex = program.is_complex();
  shape_.complex_input = program.complex_input();
  shape_.embeds = program.embeds_amplitudes();
  shape_.per_sample_weights = per_sample_weights;
  shape_.retained = program.retained();
  shape_.n_outputs = static_cast<Word>(readout.n_outputs());
  shape_.is_density = program.is_density() ? 1U : 0U;
  Writer writer(program, readout, shape_, single);
  writer.run();
  shape_.n_steps = static_cast<Word>(writer.steps.size());
  shape_.n_passes = static_cast<Word>(writer.passes.size());
  shape_.n_operations = static_cast<Word>(writer.operations.size());
  shape_.n_rotations = static_cast<Word>(writer.rotations.size());
  shape_.n_phases = static_cast<Word>(writer.phases.size());
  shape_.n_parts = static_cast<Word>(writer.parts.size());
  shape_.n_keeps = static_cast<Word>(writer.density.keeps.size());
  shape_.n_transforms = static_cast<Word>(writer.density.transforms.size());
  stages_ = writer.stages;
  parts_ = writer.parts;
  const auto append = [&](const auto& rows) {
    offsets_.push_back(bytes_.size());
    const std::size_t size = rows.size() * sizeof(rows[0]);
    bytes_.resize(padded(bytes_.size() + size));
    if (size != 0) std::memcpy(bytes_.data() + offsets_.back(), rows.data(), size);
  };
  append(writer.steps);
  append(writer.passes);
  append(writer.leaders);
  append(writer.operations);
  append(writer.rotations);
  append(writer.phases);
  append(writer.blocks);
  append(writer.flips);
  append(writer.denses);
  append(writer.controls);
  append(writer.entries);
  append(writer.numbers);
  append(writer.parts);
  append(writer.outcomes);
  append(writer.outputs);
  append(writer.terms);
  append(writer.columns);
  append(writer.weight_sums);
  append(writer.sum_places);
  append(writer.density.scales);
  append(writer.density.factors);
  append(writer.density.forms);
  append(writer.density.channels);
  append(writer.density.axes);
  append(writer.density.diagonals);
  append(writer.density.words);
  append(writer.density.uses);
  append(writer.density.keeps);
  append(writer.density.transforms);
  append(writer.density.scalars.bytes());
  append(writer.seats);
  append(writer.exits);
}

std::vector<Word> DevicePlan::leader_places() const {
  const Leader* leaders = tables(bytes_.data()).leaders;
  std::vector<Word> found;
  for (std::size_t i = 0; i < std::size_t{shape_.n_passes} << shape_.thread_bits; ++i) {
    found.push_back(leaders[i].place);
  }
  return found;
}

std::vector<Word> DevicePlan::exit_places() const {
  if (!is_direct(shape_)) return {};
  const Word width = shape_.register_bits == held_bits<float> ? sizeof(float) : sizeof(double);
  const Word* exits = tables(bytes_.data()).exits + quad_size;
  std::vector<Word> found(exits, exits + (std::size_t{1} << shape_.thread_bits));
  for (Word& place : found) place /= width;
  return found;
}

Tables DevicePlan::tables(const void* base) const {
  Tables tables{};
  tables.shape = shape_;
  std::size_t section = 0;
  const auto set = [&](auto& pointer) {
    pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(static_cast<const std::byte*>(base) +
                                                                           offsets_[section++]);
  };
  set(tables.steps);
  set(tables.passes);
  set(tables.leaders);
  set(tables.operations);
  set(tables.rotations);
  set(tables.phases);
  set(tables.blocks);
  set(tables.flips);
  set(tables.denses);
  set(tables.controls);
  set(tables.entries);
  set(tables.numbers);
  set(tables.parts);
  set(tables.outcomes);
  set(tables.outputs);
  set(tables.terms);
  set(tables.columns);
  set(tables.weight_sums);
  set(tables.sum_places);
  set(tables.scales);
  set(tables.factors);
  set(tables.forms);
  set(tables.channels);
  set(tables.axes);
  set(tables.diagonals);
  set(tables.words);
  set(tables.uses);
  set(tables.keeps);
  set(tables.transforms);
  set(tables.scalars);
  set(tables.seats);
  set(tables.exits);
  return tables;
}

}  // namespace qcsim::cuda
