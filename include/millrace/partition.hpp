#pragma once
#include <millrace/receipt.hpp>
#include <millrace/record.hpp>
#include <millrace/record/batch_builder.hpp>
#include <optional>
#include <span>

namespace millrace::inline v0 {

namespace engine {
class BrokerCore;
class Partition;
}  // namespace engine

/// A partition's readable offsets: [start, end).
struct Offsets {
  Offset start;  ///< oldest record kept
  Offset end;    ///< where the next visible record will be
};

/// One partition, of bytes. A cheap handle; thread-safe.
class PartitionHandle {
 public:
  PartitionHandle(std::shared_ptr<engine::BrokerCore> broker,
                  std::shared_ptr<engine::PartitionReader> reader,
                  std::shared_ptr<engine::Partition> writer)
      : broker_(std::move(broker)), reader_(std::move(reader)), writer_(std::move(writer)) {}

  PartitionId id() const noexcept;
  const TopicPartition& name() const noexcept;
  Offsets offsets() const noexcept;

  /// Appends one record and returns when the topic's flush policy acknowledges it. Without a time,
  /// the record gets the clock's.
  Result<Receipt> append(std::optional<Bytes> key, std::optional<Bytes> value,
                         std::span<const Header> headers = {},
                         std::optional<Timestamp> time = std::nullopt) const;
  /// Appends a batch that was built with record::BatchBuilder, as one unit, and returns when it is
  /// acknowledged: the receipt is of its first record. The builder is emptied.
  Result<Receipt> append(record::BatchBuilder& batch) const;
  /// Makes everything appended durable now, whatever the policy.
  Result<void> flush() const;

  struct Found {
    storage::SegmentPtr pin;
    std::unique_ptr<std::vector<std::byte>> decompressed;
    record::RecordView record;
  };
  /// The record at `offset`, or the next one if there is none at it: after compaction, and where
  /// control batches are. offset_out_of_range, corrupt_data.
  Result<Found> read(Offset offset, bool check_crc) const;
  /// First offset whose record has `time` or later; nothing if there is none.
  Result<std::optional<Offset>> offset_for_time(Timestamp time) const;

  const std::shared_ptr<engine::PartitionReader>& reader() const noexcept { return reader_; }

 private:
  Result<void> require_writer() const;
  Result<bool> find_in(const record::BatchView& batch, Offset offset, Found& found) const;
  std::shared_ptr<engine::BrokerCore> broker_;
  std::shared_ptr<engine::PartitionReader> reader_;
  std::shared_ptr<engine::Partition> writer_;
};

/// Walks a partition from an offset to its end, as of when the walk gets there. One walk at a time:
/// a second begin() goes on behind the last record that the first one gave, so a walk can be left
/// and taken up again. For one thread.
template <typename K, typename V>
class PartitionScan {
 public:
  PartitionScan(std::shared_ptr<engine::PartitionReader> reader, Offset from, bool check_crc);
  PartitionScan(PartitionScan&&) = delete;  // its iterators point to it
  PartitionScan& operator=(PartitionScan&&) = delete;

  class Iterator {
   public:
    using value_type = Record<K, V>;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(PartitionScan& scan) : scan_(&scan), cursor_(scan.at_) { step(); }
    Iterator(Iterator&& other) noexcept
        : scan_(std::exchange(other.scan_, nullptr)),
          cursor_(other.cursor_),
          record_(other.record_),
          done_(other.done_) {}
    Iterator& operator=(Iterator&& other) noexcept {
      std::swap(scan_, other.scan_);
      std::swap(cursor_, other.cursor_);
      std::swap(record_, other.record_);
      std::swap(done_, other.done_);
      return *this;
    }
    /// The next walk goes on behind the last record of this one.
    ~Iterator() {
      if (scan_ != nullptr) scan_->at_ = cursor_;
    }
    /// Valid until the next step, and as long as the iterator.
    const Record<K, V>& operator*() const& noexcept { return record_; }
    void operator*() && = delete;
    const Record<K, V>* operator->() const noexcept { return &record_; }
    Iterator& operator++() { return step(), *this; }
    void operator++(int) { step(); }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return a.done_; }

   private:
    [[gnu::always_inline]] void step() {
      while (!detail::RecordSlot::next(cursor_, record_)) {
        done_ = !scan_->fetch();
        if (done_) return;
        cursor_ = FetchedRecords::Cursor(scan_->fetched_);
      }
    }
    PartitionScan* scan_;
    FetchedRecords::Cursor cursor_;
    Record<K, V> record_;
    bool done_ = false;
  };
  Iterator begin() & { return Iterator(*this); }
  std::default_sentinel_t end() & { return {}; }

  /// Why the walk ended: success at the end of the partition, else the error.
  const Result<void>& status() const noexcept { return status_; }

 private:
  bool fetch();
  std::shared_ptr<engine::PartitionReader> reader_;
  std::unique_ptr<storage::LogCursor> cursor_;
  bool check_crc_;
  FetchedRecords fetched_;
  FetchedRecords::Cursor at_;  // where the last walk ended
  Result<void> status_;
};

namespace detail {
/// Reads the next chunk below the visible end; nothing at the end.
Result<std::optional<FetchedRecords>> next_chunk(
    const std::shared_ptr<engine::PartitionReader>& reader, storage::LogCursor& cursor,
    bool check_crc);
storage::SegmentSource& source_of(engine::PartitionReader& reader) noexcept;
}  // namespace detail

/// One partition with keys K and values V, for direct access by offset. A cheap handle;
/// thread-safe.
template <typename K, typename V>
class Partition {
 public:
  explicit Partition(PartitionHandle handle) : handle_(std::move(handle)) {}

  PartitionId id() const noexcept { return handle_.id(); }
  /// The readable offsets now.
  Offsets offsets() const noexcept { return handle_.offsets(); }

  /// Appends and returns when the topic's flush policy acknowledges.
  Result<Receipt> append(const K& key, const V& value) const {
    thread_local ByteSink key_sink;
    thread_local ByteSink value_sink;
    MILLRACE_TRY(const auto key_bytes, detail::to_bytes(key, key_sink));
    MILLRACE_TRY(const auto value_bytes, detail::to_bytes(value, value_sink));
    return handle_.append(key_bytes, value_bytes);
  }
  /// The same without a key.
  Result<Receipt> append(const V& value) const {
    thread_local ByteSink sink;
    MILLRACE_TRY(const auto bytes, detail::to_bytes(value, sink));
    return handle_.append(std::nullopt, bytes);
  }
  /// Marks a key of a compacted topic as deleted (a tombstone: a null value).
  Result<Receipt> remove(const K& key) const {
    thread_local ByteSink sink;
    MILLRACE_TRY(const auto bytes, detail::to_bytes(key, sink));
    return handle_.append(bytes, std::nullopt);
  }

  /// The record at `offset` or, where compaction took it, the next one after it. Errors:
  /// offset_out_of_range (also if none follows), and corrupt_data with the range that cannot be
  /// read.
  Result<PinnedRecord<K, V>> read(Offset offset, bool check_crc = false) const {
    MILLRACE_TRY(auto found, handle_.read(offset, check_crc));
    return PinnedRecord<K, V>(handle_.reader(), std::move(found.pin), std::move(found.decompressed),
                              Record<K, V>(found.record, handle_.name()));
  }

  /// `for (const auto& record : scan)` from `from`; keep the scan in a variable and look at its
  /// status() afterwards. A record is valid until the next step.
  PartitionScan<K, V> scan(Offset from, bool check_crc = true) const {
    return PartitionScan<K, V>(handle_.reader(), from, check_crc);
  }

  /// The first offset whose record has `time` or a later one; nothing if there is none.
  Result<std::optional<Offset>> offset_for_time(Timestamp time) const {
    return handle_.offset_for_time(time);
  }
  /// Makes everything appended durable now, whatever the policy.
  Result<void> flush() const { return handle_.flush(); }

  const PartitionHandle& handle() const noexcept { return handle_; }

 private:
  PartitionHandle handle_;
};

template <typename K, typename V>
PartitionScan<K, V>::PartitionScan(std::shared_ptr<engine::PartitionReader> reader, Offset from,
                                   bool check_crc)
    : reader_(std::move(reader)),
      cursor_(std::make_unique<storage::LogCursor>(detail::source_of(*reader_), from)),
      check_crc_(check_crc) {}

/// Whether there is more; if not, status_ says why.
template <typename K, typename V>
bool PartitionScan<K, V>::fetch() {
  status_ = fetched_.status();
  if (!status_) return false;
  auto next = detail::next_chunk(reader_, *cursor_, check_crc_);
  if (!next) {
    status_ = std::move(next).error();
    return false;
  }
  if (!*next) return false;
  fetched_ = *std::move(*next);
  return true;
}

}  // namespace millrace::inline v0
