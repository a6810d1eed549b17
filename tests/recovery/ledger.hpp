#pragma once
#include <cstdint>
#include <map>
#include <millrace/core/result.hpp>
#include <millrace/storage/log.hpp>
#include <string>
#include <vector>

namespace millrace::test {

/// A record that a test gave to a log; what it holds follows from its number.
struct Given {
  std::uint32_t number = 0;
  std::int64_t batch_base = 0;
  std::int64_t time = 0;
  std::uint32_t key = 0;
  std::uint32_t value_bytes = 0;
  std::int32_t epoch = 0;
  bool may_be_gone = false;  // a compaction was at work that may have dropped it
  bool is_unmissed = false;  // and so may, by now, the later one of its key that it gave way to

  std::string key_text() const { return "key-" + std::to_string(key); }
  std::string value_text() const;
};

/// What a log may and must hold, whatever happened to it: told of every call before and after.
class Ledger {
 public:
  explicit Ledger(bool compacts = false) : compacts_(compacts) {}

  /// A batch is about to go to `base`; until it is flushed it may or may not be there.
  void appending(Offset base, std::vector<Given> records);
  void appended(Offset next);
  /// The call failed: what it wrote may come back after a crash, but does not count.
  void append_failed() {}
  void flushed(Offset end);
  void truncating(Offset to);
  void truncated(Offset start, Offset end);
  void deleting(Offset high) { start_high_ = std::max(start_high_, high.value()); }
  void deleted(Offset start) { start_low_ = start_high_ = start.value(); }
  void compacting(Offset limit);

  std::int64_t end() const noexcept { return end_; }
  std::int64_t durable() const noexcept { return durable_; }

  /// What is wrong with the log, empty if nothing is. `exact`: nothing may be lost at all, since
  /// the machine ran on.
  std::string check(storage::Log& log, bool exact) const;
  /// The ledger of a log that was found to be as it is, flushed as far as it says.
  Result<Ledger> adopt(storage::Log& log) const;

 private:
  struct Found {
    std::int64_t offset;
    std::int64_t batch_base;
    std::int64_t time;
    std::string key;
    std::string value;
    std::int32_t epoch;
  };
  static Result<std::vector<Found>> read(storage::Log& log, Offset from);
  const Given* match(const Found& found) const;
  std::string check_offsets(const storage::Log& log, bool exact) const;
  /// By key, the last offset at which something was found.
  using LastOffsets = std::map<std::string, std::int64_t>;
  std::string check_hole(std::int64_t from, std::int64_t to, const LastOffsets& last) const;
  std::string check_seeks(storage::Log& log, const std::vector<Found>& found) const;

  bool compacts_;
  std::map<std::int64_t, std::vector<Given>> possible_;  // by offset; the last one is the newest
  std::int64_t durable_ = 0;
  std::int64_t end_ = 0;       // of the log, as it said
  std::int64_t end_high_ = 0;  // with calls that are not finished
  std::int64_t start_low_ = 0;
  std::int64_t start_high_ = 0;
};

}  // namespace millrace::test
