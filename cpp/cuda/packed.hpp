// A large run as one block of bytes: a Large, then the stages and the parts of its plan, which the launching side
// reads. Written by bindings/qcsim, read by whoever runs it.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "cuda/large_call.hpp"

namespace qcsim::cuda {

template <class T>
struct PackedLarge {
  Large<T> large;
  std::vector<StageRow> stages;
  std::vector<PartRow> parts;

  LargeStages plan() const { return {stages.data(), stages.size(), parts.data(), parts.size()}; }
};

namespace packing {

template <class Row>
void write(std::string& out, const Row* rows, std::size_t n) {
  static_assert(std::is_trivially_copyable_v<Row>);
  if (n != 0) out.append(reinterpret_cast<const char*>(rows), n * sizeof(Row));
}
template <class Row>
void read(std::string_view& in, Row* rows, std::size_t n) {
  if (in.size() < n * sizeof(Row)) throw std::invalid_argument("these are not the bytes of a call of this precision");
  if (n != 0) std::memcpy(rows, in.data(), n * sizeof(Row));
  in.remove_prefix(n * sizeof(Row));
}

}  // namespace packing

template <class T>
std::string packed(const Large<T>& large, const std::vector<StageRow>& stages, const std::vector<PartRow>& parts) {
  std::string out;
  const std::size_t sizes[2] = {stages.size(), parts.size()};
  packing::write(out, &large, 1);
  packing::write(out, static_cast<const std::size_t*>(sizes), 2);
  packing::write(out, stages.data(), stages.size());
  packing::write(out, parts.data(), parts.size());
  return out;
}

template <class T>
PackedLarge<T> unpacked(std::string_view in) {
  PackedLarge<T> found{};
  std::size_t sizes[2];
  packing::read(in, &found.large, 1);
  packing::read(in, static_cast<std::size_t*>(sizes), 2);
  found.stages.resize(sizes[0]);
  found.parts.resize(sizes[1]);
  packing::read(in, found.stages.data(), sizes[0]);
  packing::read(in, found.parts.data(), sizes[1]);
  return found;
}

}  // namespace qcsim::cuda
