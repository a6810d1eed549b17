#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace millrace::inline v0::cli {

/// One line on stderr that says how far long work has come: after a second, a few times a second,
/// and only on a terminal.
class Progress {
 public:
  /// `total` bytes of work; not given: unknown, so no bar.
  explicit Progress(std::string what, std::optional<std::uint64_t> total = std::nullopt);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// So many records and bytes are done. Cheap.
  void update(std::uint64_t records, std::uint64_t bytes) {
    if (is_terminal_ && ++calls_ % 256 == 0) draw_if_due(records, bytes);
  }
  /// The same for rare calls.
  void draw_if_due(std::uint64_t records, std::uint64_t bytes);
  /// Takes the line away.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  std::optional<std::uint64_t> total_;
  const bool is_terminal_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point due_ = start_ + std::chrono::seconds(1);
  unsigned calls_ = 0;
  bool is_drawn_ = false;
};

/// 1234567 as "1,234,567".
std::string with_commas(std::uint64_t number);

}  // namespace millrace::inline v0::cli
