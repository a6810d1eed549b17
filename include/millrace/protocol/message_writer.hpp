#pragma once
#include <cstddef>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <millrace/protocol/wire.hpp>
#include <vector>

namespace millrace::inline v0::protocol {

/// Gathers what is to be sent: bytes of its own, and between them spans of the caller's memory that
/// are not copied, such as records in a mapped segment. The memory that was borrowed must live, and
/// not change, until the pieces have been sent. clear() keeps the writer's own memory for the next
/// time. Not thread-safe.
class MessageWriter {
 public:
  /// Spans below this are copied: a piece of its own would cost more.
  static constexpr std::size_t least_borrowed_bytes = 256;

  /// A place in what was written, for rollback().
  struct Mark {
    std::size_t own_bytes = 0;
    std::size_t borrowed_spans = 0;
    std::size_t borrowed_bytes = 0;
  };

  /// Appends to the writer's own bytes; valid until the writer ends.
  WireWriter wire() noexcept { return WireWriter(own_); }
  /// The writer's own bytes, for changing what was written. No bytes may be put in or taken out in
  /// front of a borrowed span.
  std::vector<std::byte>& own_bytes() noexcept { return own_; }
  /// Appends `bytes` without copying them, if they are not few.
  void borrow(Bytes bytes);

  /// Begins a frame: leaves room for the int32 of its length.
  Mark begin_frame();
  /// Sets the length of the frame. Errc::invalid_argument if it is above 2^31 - 1 bytes.
  Result<void> end_frame(const Mark& frame);

  std::size_t size_bytes() const noexcept { return own_.size() + borrowed_bytes_; }
  /// A span that is not the writer's own, and how many of its own bytes come before it.
  struct Borrowed {
    std::size_t own_bytes_before;
    Bytes bytes;
  };
  const std::vector<Borrowed>& borrowed() const noexcept { return borrowed_; }
  /// Everything in order. Valid until the next change of the writer, and as long as what was
  /// borrowed.
  std::vector<Bytes> pieces() const;

  Mark mark() const noexcept { return {own_.size(), borrowed_.size(), borrowed_bytes_}; }
  /// Takes back everything since `mark`.
  void rollback(const Mark& mark);
  void clear() { rollback({}); }

 private:
  std::vector<std::byte> own_;
  std::vector<Borrowed> borrowed_;
  std::size_t borrowed_bytes_ = 0;
};

}  // namespace millrace::inline v0::protocol
