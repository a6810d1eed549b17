#include <fmt/format.h>

#include <limits>
#include <millrace/protocol/message_writer.hpp>

namespace millrace::inline v0::protocol {

void MessageWriter::borrow(Bytes bytes) {
  if (bytes.size() < least_borrowed_bytes) {
    own_.insert(own_.end(), bytes.begin(), bytes.end());
    return;
  }
  borrowed_.push_back({own_.size(), bytes});
  borrowed_bytes_ += bytes.size();
}

MessageWriter::Mark MessageWriter::begin_frame() {
  const Mark frame = mark();
  wire().int32(0);
  return frame;
}

Result<void> MessageWriter::end_frame(const Mark& frame) {
  const std::size_t before = frame.own_bytes + frame.borrowed_bytes + sizeof(std::int32_t);
  const std::size_t length = size_bytes() - before;
  if (length > std::numeric_limits<std::int32_t>::max()) {
    return Error(
        Errc::invalid_argument,
        fmt::format("ending a frame of {} bytes: its length has 31 bits; send less at once",
                    length));
  }
  store_big(own_.data() + frame.own_bytes, static_cast<std::int32_t>(length));
  return {};
}

std::vector<Bytes> MessageWriter::pieces() const {
  std::vector<Bytes> result;
  result.reserve(2 * borrowed_.size() + 1);
  std::size_t at = 0;
  for (const Borrowed& borrowed : borrowed_) {
    if (borrowed.own_bytes_before > at)
      result.push_back(Bytes(own_).subspan(at, borrowed.own_bytes_before - at));
    result.push_back(borrowed.bytes);
    at = borrowed.own_bytes_before;
  }
  if (own_.size() > at) result.push_back(Bytes(own_).subspan(at));
  return result;
}

void MessageWriter::rollback(const Mark& mark) {
  own_.resize(mark.own_bytes);
  borrowed_.resize(mark.borrowed_spans);
  borrowed_bytes_ = mark.borrowed_bytes;
}

}  // namespace millrace::inline v0::protocol
