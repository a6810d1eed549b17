#pragma once
#include <millrace/storage/log_options.hpp>
#include <millrace/storage/segment.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace millrace::inline v0::storage {

/// What one rewriting of segments did.
struct CleanStats {
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
  std::uint64_t records_kept = 0;
  std::uint64_t records_dropped = 0;
  bool changed = true;  ///< false: a single segment that stays as it is; nothing was written
  std::vector<Offset> dropped_markers;  ///< rising
};

/// Which transactions of a stretch of log were aborted: their records count for nothing.
class AbortedTransactions {
 public:
  /// Takes every batch of the stretch in order; after the last one, contains() may be asked.
  void add(const record::BatchView& batch);
  /// Whether a batch of the stretch belongs to an aborted transaction.
  bool contains(const record::BatchView& batch) const noexcept;

 private:
  std::unordered_map<std::int64_t, Offset> open_;  // producer id -> where its transaction begins
  std::unordered_map<std::int64_t, std::vector<OffsetRange>> aborted_;
};

/// Where the last batch of each producer stands in a log, and its last marker: compaction keeps
/// these, the batch without records if need be, for the sequence and the epoch that they hold.
/// Producers that the log forgot are not to be told of.
class LastBatches {
 public:
  void add_producer(std::int64_t id) { last_.emplace(id, Last{}); }
  /// Takes every batch of the log in order.
  void add(const record::BatchView& batch) noexcept;
  /// Whether a batch is the last one of its producer, or its last marker.
  bool contains(const record::BatchView& batch) const noexcept;
  bool empty() const noexcept { return last_.empty(); }

 private:
  struct Last {
    Offset batch{-1};
    Offset marker{-1};
  };
  std::unordered_map<std::int64_t, Last> last_;
};

/// Of which transactions compaction met batches: who meets one of those must find its marker, too.
/// One for a whole pass, from the log's start on.
class TransactionData {
 public:
  void add(const record::BatchView& batch) { producers_.insert(batch.producer().id); }
  /// Whether the transaction that a marker ends has batches; the next one begins behind it.
  bool end(const record::BatchView& marker) { return producers_.erase(marker.producer().id) != 0; }

 private:
  std::unordered_set<std::int64_t> producers_;
};

/// The last offset of every key over the part of a log that was not cleaned yet (its "dirty" part).
class KeyOffsets {
 public:
  void set(std::string_view key, Offset offset);
  /// Nothing if the key did not occur.
  std::optional<Offset> find(std::string_view key) const noexcept;
  /// About how much memory the map takes.
  std::uint64_t memory_bytes() const noexcept { return memory_bytes_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept {
      return std::hash<std::string_view>{}(key);
    }
  };
  std::unordered_map<std::string, Offset, Hash, std::equal_to<>> offsets_;
  std::uint64_t memory_bytes_ = 0;
};

/// Tells `last` of a segment's batches that start below `limit`.
Result<void> collect_last_batches(Segment& segment, Offset limit, LastBatches& last);

/// Tells `aborted` of a segment's batches that start below `limit`.
Result<void> collect_transactions(Segment& segment, Offset limit, AbortedTransactions& aborted);

/// Adds the keys of a segment's records, those of aborted transactions left out, to `keys`.
Result<void> collect_keys(Segment& segment, const AbortedTransactions& aborted, KeyOffsets& keys);

/// What a cleaning pass goes by.
struct CleanRules {
  const KeyOffsets* keys = nullptr;
  const AbortedTransactions* aborted = nullptr;
  Timestamp now;
  std::chrono::milliseconds delete_retention{0};
  const LastBatches* last_batches = nullptr;
};

/// Writes what compaction keeps of `segments` (adjacent, rising, known to the rules as a whole) as
/// one segment with the first one's base, with its indexes, under `.cleaned` names, the log
/// durable. Offsets stay; so does the last batch, if need be without records. Kafka's rules:
/// SEMANTICS "Compaction", KIP-534 for tombstones.
Result<CleanStats> rewrite_segments(const std::vector<SegmentPtr>& segments,
                                    const CleanRules& rules, TransactionData& transactions);

/// Takes the transactions of `dropped_markers` (rising) out of the indexes of `segments`, before
/// the markers go: who waits for a marker that never comes would take later records for aborted.
Result<void> forget_transactions(const std::vector<SegmentPtr>& segments,
                                 const std::vector<Offset>& dropped_markers);

/// Puts the cleaned files in place of the segments they replace, which end below `end`. Whoever
/// lists the directory meanwhile finds every record that is to be found; a crash anywhere on the
/// way is finished or undone by finish_exchange().
Result<void> swap_in(const os::DirectoryPtr& directory, const std::vector<SegmentPtr>& replaced,
                     Offset end);

/// Groups adjacent segments so that each group's bytes stay within a segment's limits.
std::vector<std::vector<SegmentPtr>> group_segments(const std::vector<SegmentPtr>& segments,
                                                    const LogOptions& options);

}  // namespace millrace::inline v0::storage
