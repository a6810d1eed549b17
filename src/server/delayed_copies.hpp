#pragma once
#include <millrace/coordinator/delayed_records.hpp>
#include <millrace/engine/partition.hpp>
#include <millrace/record/batch_builder.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::server {

/// Reads records by their offsets; quick if they are of one batch.
class OriginalReader {
 public:
  explicit OriginalReader(engine::Partition& partition)
      : partition_(partition), cursor_(partition.source(), Offset{0}) {}

  struct Original {
    record::RecordView record;  ///< valid until the next read
    record::Codec codec;
  };
  /// offset_out_of_range if it was removed.
  Result<Original> read(Offset offset);

 private:
  Result<void> enter_batch(Offset offset);

  engine::Partition& partition_;
  storage::LogCursor cursor_;
  storage::Chunk chunk_;
  record::BatchView batch_;
  std::vector<std::byte> decompressed_;
  record::RecordCursor first_;  // stands before the batch's first record
};

/// Appends copies of delayed records, as few batches as they fit into.
class DelayedCopies {
 public:
  /// `source` is what marks them as copies of this partition's records. They get the time `now`.
  DelayedCopies(engine::Partition& partition, std::string_view source, Timestamp now);

  /// Appends copies of `due`, in that order, and takes what is done out of `delayed`: what has a
  /// copy, what was removed from the log, and what can never be delivered, of which the schedule is
  /// told. On an error the rest stays.
  Result<void> append(const std::vector<coordinator::DelayedRecords::Entry>& due,
                      coordinator::DelayedRecords& delayed, const engine::Scheduler& scheduler);
  /// Behind the last copy that was appended; nothing if there was none.
  std::optional<Offset> end() const noexcept { return end_; }

 private:
  Result<void> copy(Offset offset);
  Result<void> append_batch();
  Result<void> give_up(Offset offset, const Error& why);

  engine::Partition& partition_;
  const std::string_view source_;
  const Timestamp now_;
  std::optional<record::Codec> codec_;  // the topic's; if it has none, each record's own
  std::size_t most_bytes_;
  OriginalReader originals_;
  record::Codec batch_codec_ = record::Codec::none;
  record::BatchBuilder batch_;
  std::vector<Offset> in_batch_;
  std::vector<record::HeaderView> headers_;
  coordinator::DelayedRecords* delayed_ = nullptr;
  const engine::Scheduler* scheduler_ = nullptr;
  std::optional<Offset> end_;
};

}  // namespace millrace::inline v0::server
