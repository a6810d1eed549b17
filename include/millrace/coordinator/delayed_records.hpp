#pragma once
#include <deque>
#include <millrace/core/offset.hpp>
#include <optional>
#include <queue>
#include <vector>

namespace millrace::inline v0::coordinator {

/// The records of one partition that are still to be delivered, by the time at which they are. For
/// one thread at a time. About 32 bytes a record.
class DelayedRecords {
 public:
  struct Entry {
    Timestamp deliver_at;
    Offset offset;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };

  /// Offsets must rise.
  void add(Entry record);
  /// One that is delivered, or will never be; no effect if it is not known.
  void remove(Offset offset);
  /// All below, which are not there any more.
  void remove_before(Offset offset);

  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }
  /// What comes next: the earliest time, and of those the least offset.
  std::optional<Entry> next();
  /// At most `most` of what is due at `now`, in the order of delivery. They stay until removed.
  std::vector<Entry> due(Timestamp now, std::size_t most);
  /// The least offset; nothing if there is none.
  std::optional<Offset> oldest() const;

 private:
  using Queue = std::priority_queue<Entry, std::vector<Entry>, std::greater<>>;

  std::deque<Entry>::iterator find(Offset offset);
  bool is_waiting(const Entry& record);
  void forget_removed();

  // In the order of offsets, so that the oldest is known; what is removed has no time, until it is
  // at the front or most are.
  std::deque<Entry> by_offset_;
  Queue by_time_;  // may have what is removed
  std::size_t count_ = 0;
};

}  // namespace millrace::inline v0::coordinator
