#include <millrace/transport/answer.hpp>
#include <utility>

namespace millrace::inline v0::transport {

std::size_t OutgoingFrame::size() const noexcept {
  std::size_t total = bytes.size();
  for (const Insert& insert : inserts) total += insert.data.size();
  return total;
}

Answer::Answer(Answer&& other) noexcept
    : sink_(std::move(other.sink_)),
      number_(other.number_),
      is_due_(std::exchange(other.is_due_, false)) {}

Answer& Answer::operator=(Answer&& other) noexcept {
  if (this == &other) return *this;
  abandon();
  sink_ = std::move(other.sink_);
  number_ = other.number_;
  is_due_ = std::exchange(other.is_due_, false);
  return *this;
}

std::shared_ptr<AnswerSink> Answer::finish() noexcept {
  if (!std::exchange(is_due_, false)) return nullptr;
  return std::exchange(sink_, {}).lock();
}

void Answer::send(OutgoingFrame frame) {
  if (const auto sink = finish()) sink->answered(number_, std::move(frame));
}

void Answer::send_nothing() {
  if (const auto sink = finish()) sink->answered_with_nothing(number_);
}

void Answer::pause_reading(std::chrono::milliseconds how_long) {
  if (const auto sink = sink_.lock()) sink->pause_reading(how_long);
}

void Answer::abandon() noexcept {
  if (const auto sink = finish()) sink->close();
}

}  // namespace millrace::inline v0::transport
