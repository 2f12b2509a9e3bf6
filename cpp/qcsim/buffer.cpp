#include "qcsim/buffer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <new>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace qcsim {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t kept_bytes_at_most = std::size_t{256} << 20;
constexpr std::size_t kept_blocks_at_most = 32;

struct Block {
  void* memory;
  std::size_t bytes;
};

struct Kept {
  std::mutex mutex;
  std::vector<Block> blocks;
  std::size_t bytes = 0;

  Kept() { blocks.reserve(kept_blocks_at_most); }
};

Kept& kept();

Kept* create() {
  Kept* instance = new Kept;  // never destroyed: a buffer may be released by another static object's end
#if defined(__unix__) || defined(__APPLE__)
  // A child forked while another thread holds the mutex would wait for it for ever.
  pthread_atfork([] { kept().mutex.lock(); }, [] { kept().mutex.unlock(); }, [] { kept().mutex.unlock(); });
#endif
  return instance;
}

Kept& kept() {
  static Kept* instance = create();
  return *instance;
}

std::size_t rounded(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::size_t bytes) {
    char size[32];
    const auto count = static_cast<double>(bytes);
    const bool large = bytes >= std::size_t{1} << 30;
    std::snprintf(size, sizeof size, "%.1f %s", std::ldexp(count, large ? -30 : -20), large ? "GiB" : "MiB");
    std::snprintf(text_, sizeof text_,
                  "the simulator needs %s of memory more, which are not there; fewer samples in a call, fewer qubits "
                  "or float32 take less",
                  size);
  }
  const char* what() const noexcept override { return text_; }

 private:
  char text_[160];
};

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
  void* memory = ::operator new(bytes, std::align_val_t{alignment}, std::nothrow);
  if (memory == nullptr) throw OutOfMemory(bytes);
  return memory;
}

void release_aligned(void* memory, std::size_t bytes) {
  bytes = rounded(bytes);
  if (bytes > kept_bytes_at_most) return free_aligned(memory);
  std::array<void*, kept_blocks_at_most> evicted;
  std::size_t n_evicted = 0;
  {
    Kept& store = kept();
    std::lock_guard lock(store.mutex);
    while (!store.blocks.empty() &&
           (store.blocks.size() >= kept_blocks_at_most || store.bytes + bytes > kept_bytes_at_most)) {
      evicted[n_evicted++] = store.blocks.front().memory;
      store.bytes -= store.blocks.front().bytes;
      store.blocks.erase(store.blocks.begin());
    }
    store.blocks.push_back({memory, bytes});
    store.bytes += bytes;
  }
  std::for_each_n(evicted.begin(), n_evicted, free_aligned);  // outside the lock: the system may take its time
}

}  // namespace qcsim
