#pragma once
#include <memory>
#include <millrace/core/bytes.hpp>
#include <utility>

namespace millrace::inline v0::transport {

/// The bytes of one long frame. Not zeroed, for all of it is about to be written.
class FrameMemory {
 public:
  FrameMemory() = default;
  explicit FrameMemory(std::size_t bytes)
      : data_(new std::byte[bytes]), capacity_(bytes), size_(bytes) {}
  FrameMemory(FrameMemory&& other) noexcept
      : data_(std::move(other.data_)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  FrameMemory& operator=(FrameMemory&& other) noexcept {
    data_ = std::move(other.data_);
    capacity_ = std::exchange(other.capacity_, 0);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  MutableBytes bytes() noexcept { return {data_.get(), size_}; }
  std::size_t capacity() const noexcept { return capacity_; }
  /// At most capacity().
  void set_size(std::size_t bytes) noexcept { size_ = bytes; }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace millrace::inline v0::transport
