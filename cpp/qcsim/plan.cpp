#include "qcsim/plan.hpp"

#include <algorithm>
#include <numeric>

#include "qcsim/product.hpp"

namespace qcsim {
namespace {

// How far a rotation may be moved ahead: past this many others that wait for a later pass.
constexpr std::size_t max_waiting = 96;

struct Group {
  std::vector<std::size_t> rotations;
  std::vector<Index> basis;  // flips of registers
  std::vector<Index> rows;   // signs, of a plain group
};

class Planner {
 public:
  Planner(const Program& program, const Layout& layout) : program_(program), layout_(layout) {}

  std::vector<Stage> run() {
    const std::vector<std::size_t> product = at_start();
    if (!product.empty()) add(Stage::Kind::product).rotations = product;
    for (const Segment& segment : program_.segments()) {
      n_bits_ = program_.n_bits() - layout_.lane_bits - (segment.real && product.empty() && !layout_.whole ? 1 : 0);
      std::vector<std::size_t> rotations;
      for (std::size_t rotation = segment.first; rotation < segment.last; ++rotation) {
        if (std::find(product.begin(), product.end(), rotation) == product.end()) rotations.push_back(rotation);
      }
      for (const Run& run : runs(rotations)) {
        if (run.diagonal) {
          add(Stage::Kind::table).rotations = run.rotations;
        } else if (layout_.block_bits >= n_bits_) {
          one_block(run.rotations);
        } else {
          for (const Group& group :
               mixed(run.rotations, layout_.block_bits - layout_.spare_bits, run.rotations.size(), false)) {
            add_block(group);
          }
        }
      }
      add_barrier(segment.flip, program_.flips(), &Stage::flip);
      add_barrier(segment.dense, program_.denses(), &Stage::dense);
      add_barrier(segment.scale, program_.scales(), &Stage::scale);
      add_barrier(segment.jump, program_.jumps(), &Stage::jump);
    }
    return std::move(stages_);
  }

 private:
  Index flips(std::size_t rotation) const {
    return program_.rotations()[rotation].generator.flips >> layout_.lane_bits;
  }
  Index signs(std::size_t rotation) const {
    return program_.rotations()[rotation].generator.signs >> layout_.lane_bits;
  }

  Stage& add(Stage::Kind kind) {
    stages_.emplace_back();
    stages_.back().kind = kind;
    return stages_.back();
  }

  template <class Barrier>
  void add_barrier(int index, const std::vector<Barrier>& known, const Barrier* Stage::* kind) {
    if (index >= 0) add(Stage::Kind::barrier).*kind = &known[static_cast<std::size_t>(index)];
  }

  // Takes rotations in order while accept(rotation) agrees, and later ones that commute with all left waiting; a group
  // is closed when it is full.
  template <class Accept>
  std::vector<std::size_t> take(std::vector<std::size_t>& waiting, std::size_t at_most, Accept accept) const {
    std::vector<std::size_t> taken, left;
    std::size_t next = 0;
    for (; next < waiting.size() && taken.size() < at_most && left.size() < max_waiting; ++next) {
      const std::size_t rotation = waiting[next];
      const Pauli& generator = program_.rotations()[rotation].generator;
      const bool free = std::none_of(left.begin(), left.end(), [&](std::size_t other) {
        return anticommute(generator, program_.rotations()[other].generator);
      });
      (free && accept(rotation) ? taken : left).push_back(rotation);
    }
    left.insert(left.end(), waiting.begin() + static_cast<std::ptrdiff_t>(next), waiting.end());
    waiting = std::move(left);
    return taken;
  }

  // What makes a product state of |0...0>: rotations of separate bits that can come before all others.
  std::vector<std::size_t> at_start() const {
    constexpr std::size_t least = 3;
    if (layout_.lane_bits != 0 || layout_.whole || program_.embeds_amplitudes() || program_.is_density()) return {};
    std::vector<std::size_t> waiting;
    for (const Segment& segment : program_.segments()) {
      for (std::size_t rotation = segment.first; rotation < segment.last; ++rotation) waiting.push_back(rotation);
      if (segment.barrier()) break;
    }
    const auto taken = take(waiting, waiting.size(), [&](std::size_t rotation) {
      return acts_on_one_bit(program_.rotations()[rotation].generator, program_.n_qubits());
    });
    return taken.size() >= least ? taken : std::vector<std::size_t>();
  }

  struct Run {
    bool diagonal;
    std::vector<std::size_t> rotations;
  };

  // The rotations in runs of diagonal ones, which turn the phases of basis states, and of others. Few diagonal ones are
  // left among the others: a table costs a sweep over the state of its own.
  std::vector<Run> runs(std::vector<std::size_t> waiting) const {
    constexpr std::size_t least = 3;
    std::vector<Run> found;
    const auto add = [&](bool diagonal, const std::vector<std::size_t>& rotations) {
      if (rotations.empty()) return;
      if (found.empty() || diagonal || found.back().diagonal) found.push_back({diagonal, {}});
      found.back().rotations.insert(found.back().rotations.end(), rotations.begin(), rotations.end());
    };
    if (!layout_.tables || !program_.is_complex()) {
      add(false, waiting);
      return found;
    }
    const Index phase_bit = power_of_two(program_.n_axes());
    const auto is_diagonal = [&](std::size_t rotation) {
      return program_.rotations()[rotation].generator.flips == phase_bit &&
             program_.rotations()[rotation].angle.source != Angle::Source::feature;
    };
    while (!waiting.empty()) {
      const auto diagonal = take(waiting, waiting.size(), is_diagonal);
      add(diagonal.size() >= least, diagonal);
      add(false, take(waiting, waiting.size(), [&](std::size_t rotation) { return !is_diagonal(rotation); }));
    }
    return found;
  }

  // Whether a controlled rotation and those of a group leave each other's controls alone.
  bool keeps_controls(std::size_t rotation, const std::vector<std::size_t>& group) const {
    const auto changes = [&](std::size_t control, std::size_t other) {
      const Rotation& own = program_.rotations()[control];
      return own.control && odd_overlap(own.control->signs, program_.rotations()[other].generator.flips);
    };
    return std::none_of(group.begin(), group.end(),
                        [&](std::size_t other) { return changes(rotation, other) || changes(other, rotation); });
  }

  // Groups whose flips span no more than `dimensions`; of a pass (not of a block) with controls that hold for cosets.
  std::vector<Group> mixed(std::vector<std::size_t> waiting, int dimensions, std::size_t at_most,
                           bool one_pass = true) const {
    std::vector<Group> groups;
    while (!waiting.empty()) {
      Group group;
      Span span;
      std::vector<std::size_t> accepted;
      group.rotations = take(waiting, at_most, [&](std::size_t rotation) {
        if (one_pass && !keeps_controls(rotation, accepted)) return false;
        if (span.reduced(flips(rotation)) != 0) {
          if (static_cast<int>(span.size()) == dimensions) return false;
          span.add(flips(rotation));
          group.basis.push_back(flips(rotation));
        }
        accepted.push_back(rotation);
        return true;
      });
      groups.push_back(std::move(group));
    }
    return groups;
  }

  // Groups of biorthogonal rotations, of one layer of a circuit or of two: 9 qubits make 4 + 4 + (1 + 3) + ...
  std::vector<Group> plain(std::vector<std::size_t> waiting) const {
    std::vector<Group> groups;
    while (!waiting.empty()) {
      Group group;
      group.rotations = take(waiting, static_cast<std::size_t>(layout_.plain_width), [&](std::size_t rotation) {
        for (const Index other : group.basis) {
          if (odd_overlap(signs(rotation), other)) return false;
        }
        for (const Index other : group.rows) {
          if (odd_overlap(other, flips(rotation))) return false;
        }
        group.basis.push_back(flips(rotation));
        group.rows.push_back(signs(rotation));
        return true;
      });
      groups.push_back(std::move(group));
    }
    return groups;
  }

  void one_block(const std::vector<std::size_t>& rotations) {
    Stage& stage = add(Stage::Kind::passes);
    stage.bases = {0};
    const std::vector<Group> wide = layout_.plain_width > 0 ? plain(rotations) : std::vector<Group>();
    // Plain passes are some 15 % faster for each rotation, unless they hold too few of them.
    if (!wide.empty() && 5 * wide.size() <= 2 * rotations.size()) {
      for (const Group& group : wide) stage.passes.push_back(plain_pass(group));
    } else {
      for (const Group& group : mixed(rotations, width(), max_operations)) {
        stage.passes.push_back(mixed_pass(group, units(n_bits_)));
      }
    }
  }

  void add_block(const Group& block) {
    Stage& stage = add(Stage::Kind::passes);
    Span span;
    for (const Index vector : block.basis) span.add(vector);
    complete(span, layout_.block_bits);
    stage.bases = span_in_order(null_space(span.pivots(), n_bits_));
    for (const Group& group : mixed(block.rotations, width(), max_operations)) {
      stage.passes.push_back(mixed_pass(group, span.vectors()));
    }
  }

  int width() const { return std::min(layout_.mixed_width, n_bits_); }

  static std::vector<Index> units(int n_bits) {
    std::vector<Index> vectors;
    for (int bit = n_bits - 1; bit >= 0; --bit) vectors.push_back(power_of_two(bit));
    return vectors;
  }

  static void complete(Span& span, int dimensions) {
    for (int bit = 0; static_cast<int>(span.size()) < dimensions; ++bit) {
      if (span.reduced(power_of_two(bit)) != 0) span.add(power_of_two(bit));
    }
  }

  Pass plain_pass(const Group& group) const {
    Pass pass;
    pass.plain = true;
    pass.width = static_cast<int>(group.basis.size());
    for (std::size_t k = 0; k < group.rotations.size(); ++k) {
      const auto axis = static_cast<std::uint8_t>(1 << k);
      pass.operations.push_back({group.rotations[k], static_cast<std::uint8_t>(axis << pass.width | axis), 0});
    }
    pass.members = members(group.basis);
    pass.leaders = span_in_order(null_space(group.rows, n_bits_));
    return pass;
  }

  // block: a basis of the registers in which the pass works.
  Pass mixed_pass(const Group& group, const std::vector<Index>& block) const {
    Pass pass;
    std::vector<Index> basis = group.basis;
    Span span;
    for (const Index vector : basis) span.add(vector);
    pass.controlled = program_.rotations()[group.rotations.front()].control.has_value();
    for (auto vector = block.rbegin(); static_cast<int>(basis.size()) < width(); ++vector) {
      if (pass.controlled) break;  // another vector could change the controls
      if (span.reduced(*vector) == 0) continue;
      span.add(*vector);
      basis.push_back(*vector);
    }
    pass.width = static_cast<int>(basis.size());
    pass.members = members(basis);
    // Leaders: the block modulo the span, as the combinations of those of its vectors that the span does not reach.
    std::vector<Index> rest;
    for (auto vector = block.rbegin(); vector != block.rend(); ++vector) {
      if (span.reduced(*vector) == 0) continue;
      rest.insert(rest.begin(), span.reduced(*vector));
      span.add(*vector);
    }
    pass.leaders = span_in_order(rest);
    if (pass.controlled) add_controls(group, pass);
    pass.signs.assign(pass.leaders.size(), 0);
    for (std::size_t j = 0; j < group.rotations.size(); ++j) {
      const std::size_t rotation = group.rotations[j];
      const auto entry = std::find(pass.members.begin(), pass.members.end(), flips(rotation));
      auto pattern = static_cast<std::uint8_t>((entry - pass.members.begin()) << pass.width);
      for (int k = 0; k < pass.width; ++k) {
        if (odd_overlap(signs(rotation), basis[static_cast<std::size_t>(k)])) {
          pattern = static_cast<std::uint8_t>(pattern | 1 << k);
        }
      }
      const Index lanes = power_of_two(layout_.lane_bits) - 1;
      pass.operations.push_back({rotation, pattern, program_.rotations()[rotation].generator.flips & lanes});
      for (std::size_t c = 0; c < pass.leaders.size(); ++c) {
        if (odd_overlap(signs(rotation), pass.leaders[c])) pass.signs[c] |= std::uint32_t{1} << j;
      }
    }
    return pass;
  }

  // Which operations turn at each leader; the leaders in groups with the same ones, so that the branches on them are
  // foreseen.
  void add_controls(const Group& group, Pass& pass) const {
    const auto active = [&](Index leader) {
      std::uint32_t bits = 0;
      for (std::size_t j = 0; j < group.rotations.size(); ++j) {
        const Pauli& control = *program_.rotations()[group.rotations[j]].control;
        if (control.negative != odd_overlap(control.signs, leader)) bits |= std::uint32_t{1} << j;
      }
      return bits;
    };
    std::stable_sort(pass.leaders.begin(), pass.leaders.end(), [&](Index a, Index b) { return active(a) < active(b); });
    for (const Index leader : pass.leaders) pass.active.push_back(active(leader));
  }

  // Entry i of a coset: the sum of basis[k] over the bits k of i.
  static std::vector<Index> members(const std::vector<Index>& basis) {
    return span_in_order({basis.rbegin(), basis.rend()});
  }

  const Program& program_;
  Layout layout_;
  int n_bits_ = 0;  // of the index of a register
  std::vector<Stage> stages_;
};

}  // namespace

std::vector<Stage> plan(const Program& program, const Layout& layout) { return Planner(program, layout).run(); }

}  // namespace qcsim
