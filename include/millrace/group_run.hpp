#pragma once
#include <atomic>
#include <functional>
#include <millrace/record.hpp>
#include <stop_token>
#include <type_traits>
#include <vector>

namespace millrace::inline v0 {

class GroupConsumerCore;

namespace detail {

/// How far the records of a poll were handled.
class Progress {
 public:
  explicit Progress(const FetchedRecords& fetched);
  /// Up to and with this record.
  template <typename K, typename V>
  void advance(const Record<K, V>& record) {
    if (at_ == nullptr || at_->partition != &record.topic_partition()) {
      at_ = find(record.topic_partition());
    }
    at_->next = record.offset() + 1;
  }
  struct Part {
    const TopicPartition* partition = nullptr;
    Offset next;  ///< the first offset that was not handled
  };
  const std::vector<Part>& parts() const noexcept { return parts_; }

 private:
  Part* find(const TopicPartition& partition);
  std::vector<Part> parts_;
  Part* at_ = nullptr;
};

/// Handles what a poll gave until told to stop or until something fails: true if it is done with
/// all of it, else `progress` says how far it is.
using RecordsHandler = std::function<Result<bool>(FetchedRecords& fetched, Progress& progress,
                                                  const std::atomic<bool>& stopping)>;
/// Joins the member of a thread.
using MemberSource = std::function<Result<GroupConsumerCore>(int thread)>;

/// Runs members on `threads` threads, the caller's among them, until `stop` or a failure.
Result<void> run_members(int threads, const MemberSource& join, const RecordsHandler& handle,
                         const std::stop_token& stop);

template <typename Handler, typename K, typename V>
Result<void> handle_record(Handler& handler, const Record<K, V>& record) {
  if constexpr (std::is_void_v<std::invoke_result_t<Handler&, const Record<K, V>&>>) {
    handler(record);
    return {};
  } else {
    return handler(record);
  }
}

template <typename K, typename V, typename Handler>
RecordsHandler make_handler(Handler& handler) {
  return [&handler](FetchedRecords& fetched, Progress& progress,
                    const std::atomic<bool>& stopping) -> Result<bool> {
    Records<K, V> records(std::move(fetched));
    for (const Record<K, V>& record : records) {
      if (stopping.load(std::memory_order_relaxed)) return false;
      MILLRACE_CHECK(handle_record(handler, record));
      progress.advance(record);
    }
    MILLRACE_CHECK(records.status());
    return true;
  };
}

}  // namespace detail
}  // namespace millrace::inline v0
