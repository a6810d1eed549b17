#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace millrace::test {

/// A record as plain values.
struct ModelRecord {
  std::int64_t offset = 0;
  std::int64_t time = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::string headers;  ///< "name=value;" each
  friend bool operator==(const ModelRecord&, const ModelRecord&) = default;
};

/// What a log has to hold, in the plainest way: a map from offset to record. Compaction is not
/// imitated: it marks what may be gone, and settle() takes out what is.
class ReferenceLog {
 public:
  std::int64_t start() const { return start_; }
  std::int64_t end() const { return end_; }

  /// One batch; gives the records their offsets, from `base` (by default the end) on.
  void append(std::vector<ModelRecord> records, std::optional<std::int64_t> base = {});
  void raise_start(std::int64_t start);
  /// Where a cut at `offset` may leave the end: from the start of the batch that has it, if all of
  /// that batch is there, up to `offset` itself.
  std::int64_t least_cut(std::int64_t offset) const;
  void truncate(std::int64_t end);
  /// Compaction went over what is below `below` at `now`: superseded records may be gone, and
  /// deletions that a pass met `delete_retention` ago or earlier.
  void compacted(std::int64_t below, std::int64_t now, std::int64_t delete_retention);

  /// How records that were read in [from, to) differ from those that must be there, empty if not.
  std::string difference(const std::vector<ModelRecord>& found, std::int64_t from,
                         std::int64_t to) const;
  /// The same for the whole log; what is gone, and may be, must stay away from now on.
  std::string settle(const std::vector<ModelRecord>& found);

  /// Of a settled log: the first record at or after an offset, or of a time or later.
  const ModelRecord* at_or_after(std::int64_t offset) const;
  std::optional<std::int64_t> offset_for_time(std::int64_t time) const;
  bool has_any(std::int64_t from, std::int64_t to) const;
  /// Of the youngest record.
  std::optional<std::int64_t> largest_time(std::int64_t from, std::int64_t to) const;

  struct Entry {
    ModelRecord record = {};
    bool may_be_gone = false;
    std::optional<std::int64_t> first_cleaned = {};
  };
  /// For canaries, who tell lies here.
  std::map<std::int64_t, Entry>& entries() { return entries_; }

 private:
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
  std::map<std::int64_t, Entry> entries_;
  std::map<std::int64_t, std::int64_t> batches_;  // base offset -> end
};

}  // namespace millrace::test
