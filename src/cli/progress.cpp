#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace millrace::inline v0::cli {
namespace {

std::string bar(double share) {
  constexpr std::size_t width = 30;
  const auto filled = static_cast<std::size_t>(share * width);
  return fmt::format("[{}{}] {:3.0f} %", std::string(filled, '#'), std::string(width - filled, '.'),
                     share * 100);
}

}  // namespace

Progress::Progress(std::string what, std::optional<std::uint64_t> total)
    : what_(std::move(what)), total_(total), is_terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::draw_if_due(std::uint64_t records, std::uint64_t bytes) {
  const auto now = Clock::now();
  if (!is_terminal_ || now < due_) return;
  due_ = now + std::chrono::milliseconds(200);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::string line = fmt::format("\r\x1b[K{} ", what_);
  if (total_ && *total_ > 0) {
    const double share = static_cast<double>(bytes) / static_cast<double>(*total_);
    line += bar(std::min(share, 1.0)) + "  ";
  }
  line += fmt::format(
      "{} records, {:.1f} MB, {} records/s", with_commas(records), static_cast<double>(bytes) / 1e6,
      with_commas(static_cast<std::uint64_t>(static_cast<double>(records) / seconds)));
  fmt::print(stderr, "{}", line);
  std::fflush(stderr);
  is_drawn_ = true;
}

void Progress::clear() {
  if (is_drawn_) fmt::print(stderr, "\r\x1b[K");
  is_drawn_ = false;
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

}  // namespace millrace::inline v0::cli
