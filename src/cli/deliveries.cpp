#include "deliveries.hpp"

#include <fmt/format.h>

#include "standard_streams.hpp"

namespace millrace::inline v0::cli {

Deliveries::Deliveries(bool report, bool holds) : report_(report), holds_(holds) {
  if (report_) writer_ = std::thread([this] { write_report(); });
}

Deliveries::~Deliveries() {
  end_writer();
}

void Deliveries::add(std::uint64_t number, const Result<Receipt>& outcome) {
  if (outcome) {
    if (!holds_) acknowledged_.fetch_add(1, std::memory_order_relaxed);
    if (!report_ && !holds_) return;
    const fmt::format_int partition(outcome->partition);
    const fmt::format_int offset(outcome->offset.value());
    const std::lock_guard lock(mutex_);
    std::string& lines = holds_ ? held_ : backlog_;
    held_records_ += holds_ ? 1 : 0;
    if (!report_) return;
    const bool was_empty = lines.empty();
    lines.append(partition.data(), partition.size());
    lines += ' ';
    lines.append(offset.data(), offset.size());
    lines += '\n';
    if (was_empty && !holds_) changed_.notify_all();
    return;
  }
  const std::lock_guard lock(mutex_);
  has_failed_.store(true);
  if (failure_) return;
  const Error& error = outcome.error();
  failure_ =
      Error(error.code(), fmt::format("record {} was not appended: {}", number, error.message()));
}

void Deliveries::release() {
  const std::lock_guard lock(mutex_);
  acknowledged_.fetch_add(std::exchange(held_records_, 0), std::memory_order_relaxed);
  backlog_ += std::exchange(held_, {});
  changed_.notify_all();
}

void Deliveries::discard() {
  const std::lock_guard lock(mutex_);
  held_records_ = 0;
  held_.clear();
}

bool Deliveries::may_go_on() {
  if (has_failed_.load(std::memory_order_relaxed)) return false;
  if (!report_) return true;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return backlog_.size() < backlog_bytes || failure_; });
  return !failure_;
}

Result<void> Deliveries::finish() {
  end_writer();
  const std::lock_guard lock(mutex_);
  return failure_ ? Result<void>(*failure_) : Result<void>();
}

void Deliveries::end_writer() {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  writer_.join();
}

void Deliveries::write_report() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return is_ending_ || !backlog_.empty(); });
    if (backlog_.empty()) return;
    std::string text = std::exchange(backlog_, {});
    changed_.notify_all();
    lock.unlock();
    std::optional<Error> failure;
    for (std::string_view rest = text; !rest.empty() && !failure;) {
      std::size_t length = std::min(rest.size(), write_bytes);
      length = rest.substr(0, length).rfind('\n') + 1;
      const auto is_read = write_output(rest.substr(0, length));
      rest.remove_prefix(length);
      if (!is_read) failure = is_read.error();
      if (is_read && !*is_read) {
        failure = Error(Errc::closed,
                        "nobody reads the report any more, so no more records were "
                        "read from standard input");
      }
    }
    lock.lock();
    if (failure && !failure_) failure_ = failure;
    if (failure_) has_failed_.store(true);
    if (failure) {
      backlog_.clear();
      changed_.notify_all();
    }
  }
}

}  // namespace millrace::inline v0::cli
