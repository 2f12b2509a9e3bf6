// Memory aligned for SIMD registers, recycled: a training loop asks for the same megabytes at every call, and fresh
// pages from the system cost as much as a tenth of a call. Contents are uninitialised.
#pragma once

#include <cstddef>
#include <utility>

namespace qcsim {

void* acquire_aligned(std::size_t bytes);               // aligned to 64 bytes; std::bad_alloc when there is none
void release_aligned(void* memory, std::size_t bytes);  // keeps a few blocks for the next acquire

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : data_(static_cast<T*>(acquire_aligned(size * sizeof(T)))), size_(size) {}
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (data_ != nullptr) release_aligned(data_, size_ * sizeof(T));
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace qcsim
