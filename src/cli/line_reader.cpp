#include "line_reader.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace millrace::inline v0::cli {

LineReader::LineReader(int descriptor, int stop_descriptor, std::string separator)
    : descriptor_(descriptor),
      stop_descriptor_(stop_descriptor),
      separator_(std::move(separator)),
      buffer_(read_bytes) {}

Result<std::optional<std::string_view>> LineReader::next() {
  for (;;) {
    if (auto piece = take_piece()) return piece;
    if (is_stopped_ || (is_at_end_ && begin_ == end_)) return std::optional<std::string_view>();
    if (is_at_end_) {
      const std::string_view last(buffer_.data() + begin_, end_ - begin_);
      begin_ = end_;
      return std::optional(last);
    }
    MILLRACE_CHECK(read_more());
  }
}

std::optional<std::string_view> LineReader::take_piece() {
  const char* from = buffer_.data() + scanned_;
  const std::size_t left = end_ - scanned_;
  const void* found = separator_.size() == 1
                          ? std::memchr(from, separator_.front(), left)
                          : ::memmem(from, left, separator_.data(), separator_.size());
  if (found == nullptr) {
    // The front of a separator may be the last that was read.
    if (left >= separator_.size()) scanned_ = end_ - (separator_.size() - 1);
    return std::nullopt;
  }
  const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
  const std::string_view piece(buffer_.data() + begin_, at - begin_);
  begin_ = scanned_ = at + separator_.size();
  return piece;
}

Result<void> LineReader::read_more() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    scanned_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ > longest_piece) {
    return Error(Errc::record_too_large,
                 fmt::format("the input has more than {} MiB without a separator; is the right one "
                             "given?",
                             longest_piece >> 20));
  }
  if (buffer_.size() - end_ < read_bytes) buffer_.resize(buffer_.size() * 2);
  for (bool is_waiting = !before_wait_;;) {
    pollfd watched[] = {{descriptor_, POLLIN, 0}, {stop_descriptor_, POLLIN, 0}};
    const int ready = ::poll(watched, std::size(watched), is_waiting ? -1 : 0);
    if (ready < 0 && errno != EINTR) {
      return Error::from_os("waiting for standard input", errno);
    }
    if (ready == 0 && !std::exchange(is_waiting, true)) {
      MILLRACE_CHECK(before_wait_());
      continue;
    }
    if (watched[1].revents != 0) {
      is_stopped_ = true;
      return {};
    }
    if (watched[0].revents == 0) continue;
    const ssize_t got = ::read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return Error::from_os("reading standard input", errno);
    end_ += static_cast<std::size_t>(got);
    is_at_end_ = got == 0;
    return {};
  }
}

}  // namespace millrace::inline v0::cli
