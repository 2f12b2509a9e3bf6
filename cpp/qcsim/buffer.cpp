#include "qcsim/buffer.hpp"

#include <mutex>
#include <new>
#include <vector>

namespace qcsim {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t kept_bytes_at_most = std::size_t{256} << 20;
constexpr std::size_t kept_blocks_at_most = 32;

struct Block {
  void* memory;
  std::size_t bytes;
};

// Never destroyed: a buffer may be released by another static object's end.
struct Kept {
  std::mutex mutex;
  std::vector<Block> blocks;
  std::size_t bytes = 0;
};

Kept& kept() {
  static Kept* instance = new Kept;
  return *instance;
}

std::size_t rounded(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

void free_aligned(void* memory) { ::operator delete(memory, std::align_val_t{alignment}); }

}  // namespace

void* acquire_aligned(std::size_t bytes) {
  bytes = rounded(bytes);
  {
    Kept& store = kept();
    std::lock_guard lock(store.mutex);
    for (std::size_t i = store.blocks.size(); i-- > 0;) {
      if (store.blocks[i].bytes == bytes) {
        void* memory = store.blocks[i].memory;
        store.blocks.erase(store.blocks.begin() + static_cast<std::ptrdiff_t>(i));
        store.bytes -= bytes;
        return memory;
      }
    }
  }
  return ::operator new(bytes, std::align_val_t{alignment});
}

void release_aligned(void* memory, std::size_t bytes) {
  bytes = rounded(bytes);
  Kept& store = kept();
  std::lock_guard lock(store.mutex);
  if (bytes > kept_bytes_at_most) return free_aligned(memory);
  while (!store.blocks.empty() &&
         (store.blocks.size() >= kept_blocks_at_most || store.bytes + bytes > kept_bytes_at_most)) {
    free_aligned(store.blocks.front().memory);
    store.bytes -= store.blocks.front().bytes;
    store.blocks.erase(store.blocks.begin());
  }
  store.blocks.push_back({memory, bytes});
  store.bytes += bytes;
}

}  // namespace qcsim
