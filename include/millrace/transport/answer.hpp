#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <millrace/core/bytes.hpp>
#include <vector>

namespace millrace::inline v0::transport {

/// A frame to be sent: bytes of its own, with others' bytes put in between without copying them.
struct OutgoingFrame {
  /// The first four are set to the length of the frame when it is sent.
  std::vector<std::byte> bytes = std::vector<std::byte>(4);
  struct Insert {
    std::size_t before = 0;  ///< position in `bytes`; ascending over the inserts
    Bytes data;
  };
  std::vector<Insert> inserts;
  /// What keeps the inserts valid; let go once the frame has been sent or its connection is closed.
  std::vector<std::shared_ptr<const void>> pins;

  std::size_t size() const noexcept;
};

/// Where the answers of one connection go.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void answered(std::uint64_t number, OutgoingFrame frame) = 0;
  virtual void answered_with_nothing(std::uint64_t number) = 0;
  virtual void pause_reading(std::chrono::milliseconds how_long) = 0;
  virtual void close() = 0;
};

/// The duty to answer one frame: by one call of send() or send_nothing(), on any thread, now or
/// later. Answers leave in the order in which the frames came. If the duty ends with neither, the
/// connection is closed. Does not keep the connection: after it was closed answers go nowhere.
class Answer {
 public:
  Answer() noexcept = default;
  Answer(std::weak_ptr<AnswerSink> sink, std::uint64_t number) noexcept
      : sink_(std::move(sink)), number_(number), is_due_(true) {}
  Answer(Answer&& other) noexcept;
  Answer& operator=(Answer&& other) noexcept;
  ~Answer() { abandon(); }

  void send(OutgoingFrame frame);
  void send_nothing();
  /// From now on for so long the connection is not read from; what has been read already is not
  /// handed over. Answers go out.
  void pause_reading(std::chrono::milliseconds how_long);

 private:
  std::shared_ptr<AnswerSink> finish() noexcept;
  void abandon() noexcept;

  std::weak_ptr<AnswerSink> sink_;
  std::uint64_t number_ = 0;
  bool is_due_ = false;
};

}  // namespace millrace::inline v0::transport
