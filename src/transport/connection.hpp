#pragma once
#include <deque>
#include <millrace/transport/byte_budget.hpp>
#include <millrace/transport/listener.hpp>
#include <optional>

#include "transport/byte_stream.hpp"
#include "transport/loop.hpp"

namespace millrace::inline v0::transport {

/// What the connections of a listener share.
struct Shared {
  explicit Shared(const ListenerOptions& from, SessionFactory& factory)
      : options(from), sessions(factory), budget(from.byte_budget) {}
  void report(const Error& error) const {
    if (options.on_problem) options.on_problem(error);
  }

  const ListenerOptions options;
  SessionFactory& sessions;
  ByteBudget budget;
  std::atomic<std::size_t> connections{0};
};

/// Reads frames, hands them to the session, and writes its answers in order. Lives on one loop;
/// answers may come from any thread.
class Connection final : public AnswerSink, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::unique_ptr<ByteStream> stream, Peer peer, AsioLoop& loop,
             std::shared_ptr<Shared> shared);
  ~Connection() override;

  /// Reads until the connection ends; to be called on the loop.
  void start();
  void close() override;
  /// Closes it if it has stalled.
  void check_stalled(Clock::Steady now);

  void answered(std::uint64_t number, OutgoingFrame frame) override;
  void answered_with_nothing(std::uint64_t number) override;
  void pause_reading(std::chrono::milliseconds how_long) override;

 private:
  struct Slot {
    std::optional<OutgoingFrame> frame;
    bool is_answered = false;
    bool holds_back = false;  // no frame is handed over before it is answered
    std::size_t charged = 0;
  };
  /// A frame longer than what is read at once, in memory of its own.
  struct LongFrame {
    FrameMemory memory;
    BudgetShare share;
  };
  class Incoming;
  class Held;

  asio::awaitable<void> run();
  asio::awaitable<void> converse();
  asio::awaitable<void> read_frames();
  /// Reads on until something can be handed over.
  asio::awaitable<void> read_more();
  asio::awaitable<void> read_long_frame(std::size_t frame_bytes);
  asio::awaitable<BudgetShare> take_budget(std::size_t bytes);
  asio::awaitable<void> sleep_until_woken();
  void wake();
  bool must_wait() const noexcept;

  /// Hands over the whole frames in front of `bytes`; how many bytes they took.
  std::size_t hand_over(MutableBytes bytes);
  void hand_over_one(MutableBytes frame, LongFrame* whole);
  /// How long a frame that begins with these four bytes is; refuses one that is too long.
  std::optional<std::size_t> frame_length(Bytes begin);

  void store_answer(std::uint64_t number, std::optional<OutgoingFrame> frame);
  void write_answers();
  bool gather();
  void write_rest();
  void written(ErrorCode failed, std::size_t bytes);
  void drop_gathered();
  void end(std::string_view why);

  const std::unique_ptr<ByteStream> stream_;
  const Peer peer_;
  AsioLoop& loop_;
  const std::shared_ptr<Shared> shared_;
  std::unique_ptr<Session> session_;
  asio::steady_timer woken_;
  bool is_closed_ = false;
  bool is_sleeping_ = false;

  bool is_handing_over_ = false;  // answers that come now are written together afterwards
  bool holds_back_ = false;
  std::size_t pauses_ = 0;             // under way
  std::vector<std::byte> own_memory_;  // of a stream that does not share
  std::vector<std::byte> left_;        // read, but not handed over
  Clock::Steady last_moved_;
  std::optional<Clock::Steady> stalls_at_;  // if what has begun does not go on

  std::deque<Slot> slots_;
  std::uint64_t first_slot_ = 0;
  std::vector<asio::const_buffer> buffers_;  // of the slots that are being written
  std::size_t gathered_slots_ = 0;
  bool is_writing_ = false;
};

}  // namespace millrace::inline v0::transport
