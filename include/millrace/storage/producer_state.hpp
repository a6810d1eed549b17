#pragma once
#include <array>
#include <chrono>
#include <map>
#include <millrace/record/batch_view.hpp>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::inline v0::storage {

/// The sequence `count` numbers behind `sequence`: after 2147483647 comes 0.
std::int32_t sequence_plus(std::int32_t sequence, std::int32_t count) noexcept;
/// The sequence `count` numbers before `sequence`.
std::int32_t sequence_minus(std::int32_t sequence, std::int32_t count) noexcept;

/// Who hands in a batch, which decides what is checked.
enum class AppendOrigin : std::uint8_t {
  producer,     ///< epoch, sequence and transaction; no control batches
  coordinator,  ///< epoch and transaction: markers, and records of its own, have no sequence
  delivery,     ///< nothing: it copies what the log has taken before
};

/// Where a batch went that is handed in a second time.
struct DuplicateBatch {
  Offset base_offset;
  Offset next_offset;
  Timestamp timestamp;  ///< its largest: with LogAppendTime, when it was appended
  friend bool operator==(const DuplicateBatch&, const DuplicateBatch&) = default;
};

/// A transaction that was aborted, as Kafka's transaction index has it.
struct AbortedTransaction {
  std::int64_t producer_id = -1;
  Offset first_offset;        ///< of its first record
  Offset last_offset;         ///< of its marker
  Offset last_stable_offset;  ///< when it ended: where the first one still open begins, else behind
                              ///< the marker
  friend bool operator==(const AbortedTransaction&, const AbortedTransaction&) = default;
};

/// What outlives the process of one producer: an entry of a snapshot.
struct ProducerSummary {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t last_sequence = -1;  ///< -1: no batch is known
  Offset last_offset{-1};           ///< of the last batch
  std::int32_t offset_delta = 0;    ///< of its last record to its first
  Timestamp timestamp{};            ///< of the last batch or marker
  std::int32_t coordinator_epoch = -1;
  std::optional<Offset> transaction = std::nullopt;  ///< where the open one begins
  friend bool operator==(const ProducerSummary&, const ProducerSummary&) = default;
};

/// What the marker at the end of a transaction says.
struct TransactionMarker {
  bool is_commit = false;
  std::int32_t coordinator_epoch = -1;  ///< -1: it does not say
};
/// The marker in a control batch; nothing if it is of another kind, or empty.
std::optional<TransactionMarker> read_marker(const record::BatchView& batch);

/// What a log knows of its producers: epoch, the last batches, the open transaction (KIP-98). Made
/// from nothing but the batches; owns no file, clock or lock. For one thread at a time.
///
/// Only batches with a producer id are to be shown to it. A producer that goes on where it stopped
/// costs one hash lookup for check() and apply() together.
class ProducerState {
 public:
  /// So many of a producer's batches are known again: as many as it may have in flight.
  static constexpr std::size_t remembered_batches = 5;

  /// Judges a batch that is to be appended: nothing if it is new, else where it went the first
  /// time. Changes nothing. Errors: invalid_record (negative epoch or sequence, or a producer's
  /// control batch), invalid_producer_epoch, out_of_order_sequence, invalid_transaction_state,
  /// transaction_coordinator_fenced.
  Result<std::optional<DuplicateBatch>> check(const record::BatchView& batch, AppendOrigin origin);

  /// The transaction that appending this batch, with its offsets set, aborts; nothing for any other
  /// batch.
  std::optional<AbortedTransaction> aborted_by(const record::BatchView& batch);

  /// Takes over a batch that is part of the log, whatever check() would say to it: recovery and
  /// replicas follow what is there. Returns what aborted_by() said.
  std::optional<AbortedTransaction> apply(const record::BatchView& batch);

  /// Readers see up to `high_watermark`: transactions whose end is below do not hold them up.
  void advance(Offset high_watermark);
  /// Where the first transaction begins that is open, or whose marker is not below the high
  /// watermark.
  std::optional<Offset> first_unstable_offset() const noexcept;

  /// Forgets producers that have not written for `expiration` and have no open transaction; returns
  /// how many. Who has written since the last call counts as having written `now`, so that no clock
  /// is asked when a batch is appended, and the times of records do not matter.
  std::size_t expire(Timestamp now, std::chrono::milliseconds expiration);

  /// All producers, by id.
  std::vector<ProducerSummary> summaries() const;
  /// Those with an open transaction, in the order in which these began.
  std::vector<ProducerSummary> open_transactions() const;
  /// Replaces everything by what was saved. Ages then count from the times of batches.
  void restore(std::span<const ProducerSummary> saved);
  /// Ages count from the times of batches from here on: what was applied was not written just now.
  void age() noexcept;
  void clear();

  std::size_t size() const noexcept { return producers_.size(); }
  /// -1 without any.
  std::int64_t largest_id() const noexcept;

 private:
  struct Batch {
    Offset base;
    std::int32_t first_sequence = 0;
    std::int32_t offset_delta = 0;
    Timestamp timestamp;
    std::int32_t last_sequence() const noexcept {
      return sequence_plus(first_sequence, offset_delta);
    }
  };
  struct Producer {
    std::int16_t epoch = -1;
    bool wrote = false;       // since the last expire()
    std::uint8_t count = 0;   // of batches
    std::uint8_t newest = 0;  // in the ring
    std::int32_t next_sequence = 0;
    std::int32_t coordinator_epoch = -1;
    std::optional<Offset> transaction;
    Timestamp timestamp;  // of the last batch or marker
    Timestamp seen;       // it had written by then
    std::array<Batch, remembered_batches> batches{};

    void enter(std::int16_t new_epoch) noexcept;
    void add(const Batch& batch) noexcept;
    const Batch* find(std::int32_t first_sequence, std::int32_t last_sequence) const noexcept;
    ProducerSummary summary(std::int64_t id) const;
  };

  Producer* find(std::int64_t id) noexcept;
  Producer& find_or_add(std::int64_t id);
  std::optional<AbortedTransaction> close_transaction(const record::BatchView& batch);
  static Result<std::optional<DuplicateBatch>> judge(const record::BatchView& batch,
                                                     AppendOrigin origin, const Producer& known);

  std::unordered_map<std::int64_t, Producer> producers_;
  std::int64_t last_id_ = -1;  // who was looked up last, and what was found
  Producer* last_ = nullptr;
  std::set<std::pair<Offset, std::int64_t>> open_;  // where a transaction begins, and whose it is
  std::map<Offset, Offset> ended_;  // those readers may not have seen the end of: begin to marker
};

}  // namespace millrace::inline v0::storage
