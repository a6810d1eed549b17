#pragma once
#include <atomic>
#include <condition_variable>
#include <millrace/core/result.hpp>
#include <millrace/receipt.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace millrace::inline v0::cli {

/// Hears what became of each record sent, and if asked prints `partition offset` for each that was
/// acknowledged: after it was, never before. Thread-safe.
class Deliveries {
 public:
  /// `holds`: a record counts as acknowledged when release() is called, not when it was appended.
  explicit Deliveries(bool report, bool holds = false);
  Deliveries(const Deliveries&) = delete;
  Deliveries& operator=(const Deliveries&) = delete;
  ~Deliveries();

  /// The outcome of the `number`th record.
  void add(std::uint64_t number, const Result<Receipt>& outcome);
  /// All records held back are committed.
  void release();
  /// They are aborted; call it when all their outcomes have come.
  void discard();
  std::uint64_t acknowledged() const noexcept { return acknowledged_.load(); }

  /// Whether to go on: no record failed and the report is read. Waits while much of the report is
  /// still to be written.
  bool may_go_on();
  /// Prints what is left of the report. The first failure, of a record or of the printing.
  Result<void> finish();

 private:
  void write_report();
  void end_writer();

  // A write to a pipe is in it as a whole or not at all up to PIPE_BUF, whenever we are killed.
  static constexpr std::size_t write_bytes = 4096;
  static constexpr std::size_t backlog_bytes = 1u << 20;

  const bool report_;
  const bool holds_;
  std::atomic<std::uint64_t> acknowledged_{0};
  std::atomic<bool> has_failed_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string backlog_;
  std::string held_;  // for the backlog, if it is committed
  std::uint64_t held_records_ = 0;
  std::optional<Error> failure_;
  bool is_ending_ = false;
  std::thread writer_;
};

}  // namespace millrace::inline v0::cli
