#pragma once
#include <millrace/core/result.hpp>
#include <string>
#include <string_view>

namespace millrace::inline v0::cli {

/// Makes sure that descriptors 0 to 2 are taken, so that no log file is ever opened as standard
/// output, and that a reader that went away is an error and not a signal. Call first.
void prepare_standard_streams() noexcept;

/// Buffered standard output for one thread. While it waits for its reader a stop ends it.
class Output {
 public:
  /// `stop_descriptor`: see StopSignals; -1 if there is none.
  explicit Output(int stop_descriptor = -1);

  /// Where to put text; flush_if_full() now and then.
  std::string& buffer() noexcept { return buffer_; }
  Result<void> flush_if_full() { return buffer_.size() < full_bytes ? Result<void>() : flush(); }
  /// Writes what is buffered. Success also if nobody reads any more, see reader_is_gone().
  Result<void> flush();
  /// What is written goes nowhere: time to end quietly.
  bool reader_is_gone() const noexcept { return reader_is_gone_; }

 private:
  Result<bool> wait_for_reader() const;

  static constexpr std::size_t full_bytes = 64u << 10;
  int stop_descriptor_;
  bool may_block_ = false;
  std::string buffer_;
  bool reader_is_gone_ = false;
};

/// Writes all of `text` to standard output; false if nobody reads any more.
Result<bool> write_output(std::string_view text);

}  // namespace millrace::inline v0::cli
