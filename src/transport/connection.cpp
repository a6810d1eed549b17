#include "transport/connection.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::inline v0::transport {
namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t own_memory_bytes = 16 * 1024;  // one TLS record

std::chrono::milliseconds time_for(const ListenerOptions& options, std::size_t frame_bytes) {
  constexpr std::size_t bytes_a_millisecond = 1024;
  return options.stall_timeout + std::chrono::milliseconds(frame_bytes / bytes_a_millisecond);
}

}  // namespace

class Connection::Held final : public HeldFrame {
 public:
  Held(std::shared_ptr<Shared> shared, FrameMemory memory, BudgetShare share)
      : shared_(std::move(shared)), memory_(std::move(memory)), share_(std::move(share)) {}
  MutableBytes bytes() noexcept override { return memory_.bytes(); }

 private:
  std::shared_ptr<Shared> shared_;  // has the budget, so it ends last
  FrameMemory memory_;
  BudgetShare share_;
};

class Connection::Incoming final : public IncomingFrame {
 public:
  Incoming(const std::shared_ptr<Shared>& shared, MutableBytes bytes, LongFrame* whole)
      : shared_(shared), bytes_(bytes), whole_(whole) {}
  MutableBytes bytes() noexcept override { return bytes_; }
  std::shared_ptr<HeldFrame> hold() override {
    if (whole_ != nullptr) {
      return std::make_shared<Held>(shared_, std::move(whole_->memory), std::move(whole_->share));
    }
    shared_->budget.overdraw(bytes_.size());
    FrameMemory copy(bytes_.size());
    std::copy(bytes_.begin(), bytes_.end(), copy.bytes().begin());
    return std::make_shared<Held>(shared_, std::move(copy),
                                  BudgetShare(shared_->budget, bytes_.size()));
  }

 private:
  const std::shared_ptr<Shared>& shared_;
  MutableBytes bytes_;
  LongFrame* whole_;
};

Connection::Connection(std::unique_ptr<ByteStream> stream, Peer peer, AsioLoop& loop,
                       std::shared_ptr<Shared> shared)
    : stream_(std::move(stream)),
      peer_(std::move(peer)),
      loop_(loop),
      shared_(std::move(shared)),
      woken_(loop.context()),
      last_moved_(std::chrono::steady_clock::now()) {
  shared_->connections.fetch_add(1);
}

Connection::~Connection() {
  shared_->connections.fetch_sub(1);
  for (const Slot& slot : slots_) shared_->budget.give_back(slot.charged);
}

void Connection::start() {
  loop_.connections().insert(this);
  asio::co_spawn(
      loop_.context(), [self = shared_from_this()] { return self->run(); }, asio::detached);
}

asio::awaitable<void> Connection::converse() {
  ErrorCode failed;
  stalls_at_ = std::chrono::steady_clock::now() + shared_->options.stall_timeout;
  co_await stream_->begin(failed);
  stalls_at_.reset();
  if (failed) {
    end(fmt::format("TLS could not be agreed on: {}", failed.message()));
    co_return;
  }
  session_ = shared_->sessions.connected(peer_, loop_);
  co_await read_frames();
  session_.reset();
}

asio::awaitable<void> Connection::run() {
  co_await converse();
  loop_.connections().erase(this);
}

asio::awaitable<void> Connection::read_frames() {
  while (!is_closed_) {
    if (must_wait()) {
      co_await sleep_until_woken();
      continue;
    }
    const std::size_t used = hand_over(left_);
    left_.erase(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(used));
    if (is_closed_ || must_wait()) continue;
    if (left_.empty() && left_.capacity() > own_memory_bytes) left_.shrink_to_fit();
    if (left_.size() < length_bytes) {
      co_await read_more();
    } else if (const auto length = frame_length(left_);
               length && left_.size() - length_bytes < *length) {
      co_await read_long_frame(*length);
    }
  }
}

asio::awaitable<void> Connection::read_more() {
  if (!stream_->shares_memory()) own_memory_.resize(own_memory_bytes);
  const MutableBytes memory = stream_->shares_memory() ? loop_.scratch() : own_memory_;
  ErrorCode failed;
  const MutableBytes read = co_await stream_->read(memory.subspan(left_.size()), failed);
  if (failed) {
    end({});
    co_return;
  }
  last_moved_ = std::chrono::steady_clock::now();
  std::copy(left_.begin(), left_.end(), memory.begin());
  const MutableBytes all = memory.first(left_.size() + read.size());
  left_.clear();
  const MutableBytes rest = all.subspan(hand_over(all));
  left_.assign(rest.begin(), rest.end());
}

asio::awaitable<void> Connection::read_long_frame(std::size_t frame_bytes) {
  LongFrame frame;
  frame.share = co_await take_budget(frame_bytes);
  if (is_closed_) co_return;
  frame.memory = loop_.take_memory(frame_bytes);
  const MutableBytes whole = frame.memory.bytes();
  MutableBytes missing = whole.subspan(left_.size() - length_bytes);
  std::copy(left_.begin() + length_bytes, left_.end(), whole.begin());
  left_ = {};
  stalls_at_ = std::chrono::steady_clock::now() + time_for(shared_->options, frame_bytes);
  while (!missing.empty()) {
    ErrorCode failed;
    const MutableBytes read = co_await stream_->read(missing, failed);
    if (failed) {
      end({});
      co_return;
    }
    last_moved_ = std::chrono::steady_clock::now();
    missing = missing.subspan(read.size());
  }
  stalls_at_.reset();
  is_handing_over_ = true;
  hand_over_one(whole, &frame);
  is_handing_over_ = false;
  loop_.give_back(std::move(frame.memory));
  write_answers();
}

asio::awaitable<BudgetShare> Connection::take_budget(std::size_t bytes) {
  struct Grant {
    BudgetShare share;
    bool is_here = false;
  };
  const auto grant = std::make_shared<Grant>();
  // The budget may outlive the connection, and calls this while it lives itself.
  const auto granted = [weak = std::weak_ptr<Connection>(shared_from_this()), grant, bytes,
                        budget = &shared_->budget] {
    const auto share = std::make_shared<BudgetShare>(*budget, bytes);
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->loop_.post([self, grant, share] {
      grant->share = std::move(*share);
      grant->is_here = true;
      self->wake();
    });
  };
  if (shared_->budget.take(bytes, granted)) co_return BudgetShare(shared_->budget, bytes);
  while (!grant->is_here && !is_closed_) co_await sleep_until_woken();
  co_return std::move(grant->share);
}

asio::awaitable<void> Connection::sleep_until_woken() {
  ErrorCode ignored;
  is_sleeping_ = true;
  woken_.expires_at(Clock::Steady::max());
  co_await woken_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  is_sleeping_ = false;
}

void Connection::wake() {
  if (is_sleeping_) woken_.cancel();
}

bool Connection::must_wait() const noexcept {
  return holds_back_ || pauses_ > 0 || slots_.size() >= shared_->options.most_unanswered;
}

std::optional<std::size_t> Connection::frame_length(Bytes begin) {
  const auto length = load_big<std::int32_t>(begin.data());
  const std::size_t of_listener = shared_->options.most_frame_bytes;
  const std::size_t of_session = session_->most_frame_bytes();
  const std::size_t most = std::min(of_listener, of_session);
  if (length >= 0 && static_cast<std::size_t>(length) <= most) {
    return static_cast<std::size_t>(length);
  }
  end(
      fmt::format("it announced a frame of {} bytes, and {} are the most ({}); does the other end "
                  "speak another protocol?",
                  length, most,
                  of_session < of_listener ? "before it has authenticated itself"
                                           : "socket.request.max.bytes"));
  return std::nullopt;
}

std::size_t Connection::hand_over(MutableBytes bytes) {
  std::size_t used = 0;
  is_handing_over_ = true;
  while (!is_closed_ && !must_wait() && bytes.size() - used >= length_bytes) {
    const MutableBytes rest = bytes.subspan(used);
    const auto length = frame_length(rest);
    if (!length || rest.size() - length_bytes < *length) break;
    hand_over_one(rest.subspan(length_bytes, *length), nullptr);
    used += length_bytes + *length;
  }
  is_handing_over_ = false;
  write_answers();
  return used;
}

void Connection::hand_over_one(MutableBytes frame, LongFrame* whole) {
  const std::uint64_t number = first_slot_ + slots_.size();
  slots_.emplace_back();
  Incoming incoming(shared_, frame, whole);
  const auto next = session_->on_frame(incoming, Answer(weak_from_this(), number));
  Slot& slot = slots_[number - first_slot_];
  if (next == Session::Next::frame_when_answered && !slot.is_answered) {
    slot.holds_back = holds_back_ = true;
  }
}

void Connection::end(std::string_view why) {
  if (is_closed_) return;
  is_closed_ = true;
  stream_->close();
  wake();
  if (!why.empty()) {
    shared_->report(
        Error(Errc::closed, fmt::format("closed the connection of {}: {}", peer_.address, why)));
  }
}

void Connection::close() {
  if (loop_.is_here()) return end({});
  loop_.post([self = shared_from_this()] { self->end({}); });
}

void Connection::check_stalled(Clock::Steady now) {
  if (stalls_at_ && now > *stalls_at_) {
    return end("what it had begun did not arrive in time");
  }
  if (is_writing_ && now - last_moved_ > shared_->options.stall_timeout) {
    return end("it took nothing of an answer for too long");
  }
  const bool is_waited_for = slots_.empty() && pauses_ == 0;
  if (is_waited_for && now - last_moved_ > shared_->options.idle_timeout) end({});
}

}  // namespace millrace::inline v0::transport
