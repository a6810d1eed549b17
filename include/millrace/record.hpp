#pragma once
#include <iterator>
#include <millrace/fetched.hpp>
#include <millrace/serde.hpp>
#include <string>

namespace millrace::inline v0 {

/// A key and a value of a record's header, for sending. The bytes are the caller's.
using Header = record::HeaderView;
/// The headers of a record that was read; iterate it.
using Headers = record::HeaderList;

namespace detail {

template <typename T>
struct Decoder {
  static Result<T> decode(const std::optional<Bytes>& bytes, const char* what) {
    if (bytes) return Serde<T>::deserialize(*bytes);
    return Error(Errc::serialization, std::string("the record's ") + what +
                                          " is null; ask has_key() / is_tombstone() first, or use "
                                          "std::optional as the type");
  }
};
/// std::optional<T> is a T that may be null.
template <typename T>
struct Decoder<std::optional<T>> {
  static Result<std::optional<T>> decode(const std::optional<Bytes>& bytes, const char*) {
    if (!bytes) return std::optional<T>();
    MILLRACE_TRY(T value, Serde<T>::deserialize(*bytes));
    return std::optional<T>(std::move(value));
  }
};

}  // namespace detail

namespace detail {
struct RecordSlot;
extern const TopicPartition nowhere;  // of a record that is none
}  // namespace detail

/// What a record gives out by value; with a K and V that own what they hold, none of it points into
/// the log.
template <typename K, typename V>
class RecordValues {
 public:
  RecordValues() = default;
  RecordValues(const record::RecordView& view, const TopicPartition& source)
      : view_(view), source_(&source) {}

  PartitionId partition() const noexcept { return source_->partition; }
  Offset offset() const noexcept { return view_.offset; }
  Timestamp timestamp() const noexcept { return view_.timestamp; }
  bool has_key() const noexcept { return view_.key.has_value(); }
  /// No value: a deletion of the key in a compacted topic.
  bool is_tombstone() const noexcept { return !view_.value.has_value(); }

  /// The decoded key or value; errors are those of the Serde, and `serialization` for null.
  Result<K> try_key() const { return detail::Decoder<K>::decode(view_.key, "key"); }
  Result<V> try_value() const { return detail::Decoder<V>::decode(view_.value, "value"); }
  /// The same for those who like exceptions: throws std::system_error.
  K key() const { return try_key().value(); }
  V value() const { return try_value().value(); }

 protected:
  friend struct detail::RecordSlot;
  record::RecordView view_;
  const TopicPartition* source_ = &detail::nowhere;  // one pointer: it is set for each record
};

namespace detail {
/// How walks fill the one record that they show, in place.
struct RecordSlot {
  template <typename K, typename V>
  [[gnu::always_inline]] static bool next(FetchedRecords::Cursor& from, RecordValues<K, V>& to) {
    if (!from.next(to.view_)) return false;
    to.source_ = from.source();
    return true;
  }
};
}  // namespace detail

/// One record, decoded when asked. Everything it gives out as a view points into the log and is
/// valid as long as the Records (or PinnedRecord) it came from.
template <typename K, typename V>
class Record : public RecordValues<K, V> {
 public:
  using RecordValues<K, V>::RecordValues;
  /// Where it came from.
  const std::string& topic() const noexcept { return this->source_->topic; }
  const TopicPartition& topic_partition() const noexcept { return *this->source_; }
  const Headers& headers() const noexcept { return this->view_.headers; }
  std::optional<Bytes> raw_key() const noexcept { return copy_of(this->view_.key); }
  std::optional<Bytes> raw_value() const noexcept { return copy_of(this->view_.value); }

 private:
  /// Word by word: a copy of both at once would wait until the two stores before it are done.
  static std::optional<Bytes> copy_of(const std::optional<Bytes>& field) noexcept {
    if (!field) return std::nullopt;
    return Bytes(field->data(), field->size());
  }
};

/// The records of one poll, in order per partition. Move-only; keeps what its records point to.
template <typename K, typename V>
class Records {
 public:
  explicit Records(FetchedRecords fetched) : fetched_(std::move(fetched)) {}

  class Iterator {
   public:
    using value_type = Record<K, V>;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(FetchedRecords& fetched) : cursor_(fetched) { step(); }
    const Record<K, V>& operator*() const noexcept { return record_; }
    const Record<K, V>* operator->() const noexcept { return &record_; }
    Iterator& operator++() { return step(), *this; }
    void operator++(int) { step(); }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return a.done_; }

   private:
    [[gnu::always_inline]] void step() { done_ = !detail::RecordSlot::next(cursor_, record_); }
    FetchedRecords::Cursor cursor_;
    Record<K, V> record_;
    bool done_ = true;
  };

  // Only on a named object: an iterator into a temporary would outlive what it points to.
  Iterator begin() const& { return Iterator(fetched_); }
  std::default_sentinel_t end() const& { return {}; }
  void begin() && = delete;

  bool empty() const noexcept { return fetched_.parts().empty(); }
  /// Why the last walk stopped early (bytes that break the format); success if it did not.
  Result<void> status() const { return fetched_.status(); }

 private:
  mutable FetchedRecords fetched_;  // walking it fills in what it decompresses
};

/// A single record with what keeps it readable.
template <typename K, typename V>
class PinnedRecord {
 public:
  PinnedRecord(std::shared_ptr<engine::PartitionReader> reader, storage::SegmentPtr pin,
               std::unique_ptr<std::vector<std::byte>> decompressed, Record<K, V> record)
      : reader_(std::move(reader)),
        pin_(std::move(pin)),
        decompressed_(std::move(decompressed)),
        record_(record) {}
  const Record<K, V>& operator*() const& noexcept { return record_; }
  const Record<K, V>* operator->() const& noexcept { return &record_; }
  // Of a temporary only what does not point into the log, which it holds no longer than itself.
  void operator*() && = delete;
  const RecordValues<K, V>* operator->() && noexcept
      requires(!detail::is_view<K> && !detail::is_view<V>) {
    return &record_;
  }
  const RecordValues<K, V>* operator->() && = delete;

 private:
  std::shared_ptr<engine::PartitionReader> reader_;
  storage::SegmentPtr pin_;
  std::unique_ptr<std::vector<std::byte>> decompressed_;
  Record<K, V> record_;
};

}  // namespace millrace::inline v0
