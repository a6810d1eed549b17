#include "transport/connection.hpp"

namespace millrace::inline v0::transport {
namespace {

constexpr std::size_t most_buffers = 256;

void add_pieces(const OutgoingFrame& frame, std::vector<asio::const_buffer>& buffers) {
  std::size_t at = 0;
  for (const auto& insert : frame.inserts) {
    if (insert.before > at) buffers.emplace_back(frame.bytes.data() + at, insert.before - at);
    if (!insert.data.empty()) buffers.emplace_back(insert.data.data(), insert.data.size());
    at = insert.before;
  }
  if (frame.bytes.size() > at) {
    buffers.emplace_back(frame.bytes.data() + at, frame.bytes.size() - at);
  }
}

void advance(std::vector<asio::const_buffer>& buffers, std::size_t written) {
  std::size_t whole = 0;
  while (whole < buffers.size() && written >= buffers[whole].size()) {
    written -= buffers[whole++].size();
  }
  buffers.erase(buffers.begin(), buffers.begin() + static_cast<std::ptrdiff_t>(whole));
  if (written > 0) buffers.front() += written;
}

}  // namespace

void Connection::answered(std::uint64_t number, OutgoingFrame frame) {
  if (loop_.is_here()) return store_answer(number, std::move(frame));
  const auto moved = std::make_shared<OutgoingFrame>(std::move(frame));
  loop_.post([self = shared_from_this(), number, moved] {
    self->store_answer(number, std::move(*moved));
  });
}

void Connection::answered_with_nothing(std::uint64_t number) {
  if (loop_.is_here()) return store_answer(number, std::nullopt);
  loop_.post([self = shared_from_this(), number] { self->store_answer(number, std::nullopt); });
}

void Connection::pause_reading(std::chrono::milliseconds how_long) {
  if (!loop_.is_here()) {
    return loop_.post([self = shared_from_this(), how_long] { self->pause_reading(how_long); });
  }
  ++pauses_;
  const auto go_on = [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    --self->pauses_;
    self->last_moved_ = std::chrono::steady_clock::now();
    self->wake();
  };
  loop_.call_at(std::chrono::steady_clock::now() + how_long, go_on);
}

void Connection::store_answer(std::uint64_t number, std::optional<OutgoingFrame> frame) {
  if (is_closed_) return;
  Slot& slot = slots_[number - first_slot_];
  slot.is_answered = true;
  if (frame) {
    store_big(frame->bytes.data(), static_cast<std::int32_t>(frame->size() - 4));
    slot.charged = frame->bytes.capacity();
    shared_->budget.overdraw(slot.charged);
  }
  slot.frame = std::move(frame);
  if (slot.holds_back) {
    holds_back_ = false;
    wake();
  }
  if (!is_handing_over_) write_answers();
}

bool Connection::gather() {
  buffers_.clear();
  for (gathered_slots_ = 0; gathered_slots_ < slots_.size(); ++gathered_slots_) {
    const Slot& slot = slots_[gathered_slots_];
    if (!slot.is_answered || buffers_.size() >= most_buffers) break;
    if (slot.frame) add_pieces(*slot.frame, buffers_);
  }
  return gathered_slots_ > 0;
}

void Connection::write_answers() {
  while (!is_closed_ && !is_writing_ && gather()) {
    std::size_t written = 0;
    while (!buffers_.empty() && (written = stream_->try_write(buffers_)) > 0) {
      advance(buffers_, written);
    }
    last_moved_ = std::chrono::steady_clock::now();
    if (buffers_.empty()) {
      drop_gathered();
      continue;
    }
    is_writing_ = true;
    write_rest();
  }
}

void Connection::write_rest() {
  stream_->write(buffers_, [self = shared_from_this()](ErrorCode failed, std::size_t bytes) {
    self->written(failed, bytes);
  });
}

void Connection::written(ErrorCode failed, std::size_t bytes) {
  if (failed) {
    is_writing_ = false;
    return end({});
  }
  last_moved_ = std::chrono::steady_clock::now();
  advance(buffers_, bytes);
  if (!buffers_.empty()) return write_rest();
  is_writing_ = false;
  drop_gathered();
  write_answers();
}

void Connection::drop_gathered() {
  for (; gathered_slots_ > 0; --gathered_slots_) {
    shared_->budget.give_back(slots_.front().charged);
    slots_.pop_front();
    ++first_slot_;
  }
  wake();
}

}  // namespace millrace::inline v0::transport
