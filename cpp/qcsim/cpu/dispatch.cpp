#include "qcsim/cpu/dispatch.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string_view>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace qcsim {

#define QCSIM_DECLARE(isa)                        \
  namespace isa {                                 \
  extern const Kernels<float> float_kernels[2];   \
  extern const Kernels<double> double_kernels[2]; \
  }
QCSIM_DECLARE(baseline)
#if defined(QCSIM_X86)
QCSIM_DECLARE(avx2)
QCSIM_DECLARE(avx512)
#endif
#undef QCSIM_DECLARE

namespace cpu {
namespace {

struct InstructionSet {
  std::string_view name;
  bool (*supported)();
  const Kernels<float>* single;  // two each: full and half registers
  const Kernels<double>* twice;
};

const std::vector<InstructionSet>& instruction_sets() {
  static const std::vector<InstructionSet> sets{
      {"baseline", [] { return true; }, baseline::float_kernels, baseline::double_kernels},
#if defined(QCSIM_X86)
      {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, avx2::float_kernels,
       avx2::double_kernels},
      {"avx512",
       [] {
         return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
       },
       avx512::float_kernels, avx512::double_kernels},
#endif
  };
  return sets;
}

const InstructionSet& choose() {
  const auto& sets = instruction_sets();
  const char* forced = std::getenv("QCSIM_ISA");
  if (forced != nullptr && *forced != '\0') {
    std::string options;
    for (const InstructionSet& set : sets) {
      if (set.name == forced && set.supported()) return set;
      if (set.supported()) options += (options.empty() ? "" : ", ") + std::string(set.name);
    }
    throw std::invalid_argument("QCSIM_ISA is '" + std::string(forced) + "'; this machine offers " + options);
  }
  for (auto set = sets.rbegin(); set != sets.rend(); ++set) {
    if (set->supported()) return *set;
  }
  return sets.front();
}

const InstructionSet& chosen() {
  static const InstructionSet& set = choose();
  return set;
}

std::size_t first_level_cache() {
  std::size_t bytes = 0;
#if defined(_SC_LEVEL1_DCACHE_SIZE)
  const long found = sysconf(_SC_LEVEL1_DCACHE_SIZE);
  if (found > 0) bytes = static_cast<std::size_t>(found);
#endif
  return bytes != 0 ? bytes : std::size_t{32} << 10;
}

template <class T>
const Kernels<T>& fitting(const Kernels<T>* sizes, int n_bits, std::size_t batch) {
  static const std::size_t cache = first_level_cache();
  if (batch <= sizes[1].lanes) return sizes[1];
  const auto pair = [&](const Kernels<T>& kernels) { return (2 * kernels.lanes * sizeof(T)) << n_bits; };
  const bool full_fits = 4 * pair(sizes[0]) <= 3 * cache;
  return !full_fits && pair(sizes[1]) <= cache ? sizes[1] : sizes[0];
}

}  // namespace

template <>
const Kernels<float>& kernels<float>() {
  return chosen().single[0];
}

template <>
const Kernels<double>& kernels<double>() {
  return chosen().twice[0];
}

template <>
const Kernels<float>& tile_kernels<float>(int n_bits, std::size_t batch) {
  return fitting(chosen().single, n_bits, batch);
}

template <>
const Kernels<double>& tile_kernels<double>(int n_bits, std::size_t batch) {
  return fitting(chosen().twice, n_bits, batch);
}

std::string instruction_set() { return std::string(chosen().name); }

std::vector<std::string> compiled_instruction_sets() {
  std::vector<std::string> names;
  for (const InstructionSet& set : instruction_sets()) names.emplace_back(set.name);
  return names;
}

}  // namespace cpu
}  // namespace qcsim
