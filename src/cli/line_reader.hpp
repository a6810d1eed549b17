#pragma once
#include <functional>
#include <millrace/core/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::cli {

/// Splits what a descriptor gives at a separator, in big reads. What follows the last separator
/// counts as a piece if it is not empty.
class LineReader {
 public:
  /// Reading ends, as at the end of the input, when `stop_descriptor` becomes readable; a piece
  /// that is not complete by then is left out.
  LineReader(int descriptor, int stop_descriptor, std::string separator);

  /// Has `call` called when there is nothing to read at the moment; its error is next()'s.
  void before_wait(std::function<Result<void>()> call) { before_wait_ = std::move(call); }
  /// The next piece without its separator, valid until the next call; nothing at the end. Bytes of
  /// any kind may be in it.
  Result<std::optional<std::string_view>> next();

 private:
  static constexpr std::size_t read_bytes = 256u << 10;
  static constexpr std::size_t longest_piece = 256u << 20;

  std::optional<std::string_view> take_piece();
  Result<void> read_more();

  int descriptor_;
  int stop_descriptor_;
  std::string separator_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;    // of what was not given out yet
  std::size_t end_ = 0;      // of what was read
  std::size_t scanned_ = 0;  // no separator starts in [begin_, scanned_)
  bool is_at_end_ = false;
  bool is_stopped_ = false;
  std::function<Result<void>()> before_wait_;
};

}  // namespace millrace::inline v0::cli
