#pragma once
#include <millrace/core/bytes.hpp>
#include <millrace/core/offset.hpp>
#include <optional>
#include <string_view>

namespace millrace::inline v0::record {

/// One header of a record: a UTF-8 key and a value that may be absent (null).
struct HeaderView {
  std::string_view key;
  std::optional<Bytes> value;
};

/// The headers of a record, still encoded; iterate with next(). Points into the batch's bytes.
class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(Bytes encoded, std::int32_t count) : rest_(encoded), count_(count) {}
  std::int32_t count() const noexcept { return count_; }
  /// The encoded bytes after the count, for copying a record as it is.
  Bytes encoded() const noexcept { return rest_; }

  class Iterator {
   public:
    using value_type = HeaderView;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(Bytes rest, std::int32_t left) : rest_(rest), left_(left) { step(); }
    const HeaderView& operator*() const noexcept { return current_; }
    const HeaderView* operator->() const noexcept { return &current_; }
    Iterator& operator++() { return step(), *this; }
    void operator++(int) { step(); }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.left_ == b.left_; }

   private:
    void step();
    Bytes rest_;
    std::int32_t left_ = -1;
    HeaderView current_;
  };
  Iterator begin() const { return Iterator(rest_, count_); }
  Iterator end() const { return Iterator(); }

 private:
  Bytes rest_;
  std::int32_t count_ = 0;
};

/// One record of a batch. Everything points into the batch's (decompressed) bytes and is valid as
/// long as they are. A null key or value is nullopt, which is not the same as an empty one.
struct RecordView {
  Offset offset;
  Timestamp timestamp;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  HeaderList headers;
};

}  // namespace millrace::inline v0::record
