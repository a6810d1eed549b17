#pragma once
#include <algorithm>
#include <memory>
#include <millrace/core/topic_partition.hpp>
#include <millrace/memory_budget.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/storage/log_cursor.hpp>
#include <vector>

namespace millrace::inline v0 {

namespace engine {
class PartitionReader;
}

/// Records of several partitions, still encoded: what a poll gives before types come in. Holds the
/// segments they lie in, so they stay readable whatever retention does meanwhile. Move-only.
class FetchedRecords {
 public:
  struct Part {
    std::shared_ptr<engine::PartitionReader> partition;
    storage::Chunk chunk;
    Offset begin;  ///< records in [begin, end) count, others of the batches do not
    Offset end;
  };

  FetchedRecords() = default;
  FetchedRecords(FetchedRecords&&) noexcept = default;
  FetchedRecords& operator=(FetchedRecords&&) noexcept = default;
  FetchedRecords(const FetchedRecords&) = delete;
  FetchedRecords& operator=(const FetchedRecords&) = delete;

  /// What a compressed batch became. Polls share it that take some of its records each.
  struct UnpackedBytes {
    std::vector<std::byte> bytes;
    MemoryShare share;
  };
  /// A compressed batch of a part, decompressed by who added it.
  struct Unpacked {
    const std::byte* batch;  ///< where it begins in the part
    record::RecordCursor records;
    std::shared_ptr<const UnpackedBytes> bytes;
  };

  void add(Part part) { parts_.push_back(std::move(part)); }
  void add(Unpacked batch) { unpacked_.push_back(std::move(batch)); }
  const std::vector<Part>& parts() const noexcept { return parts_; }

  /// Walks all records. Stops early at bytes that break the format; status() then says where. What
  /// is out of line works on copies, so that a loop can keep the cursor in registers.
  class Cursor {
   public:
    Cursor() = default;
    explicit Cursor(FetchedRecords& records) : records_(&records) {}
    /// False at the end.
    [[gnu::always_inline]] bool next(record::RecordView& out) {
      if (in_batch_) [[likely]] {
        const std::byte* const from = cursor_.data();
        if (cursor_.next_plain(out)) [[likely]] {
          in_batch_ = out.offset < end_;
          if (in_batch_) [[likely]] {
            look_ahead(from);
            return true;
          }
        }
      }
      Cursor moved = *this;
      record::RecordView found;
      const bool is_there = moved.next_slowly(found);
      *this = moved;
      out = found;
      return is_there;
    }
    /// Of the record that next() has given.
    const TopicPartition* source() const noexcept { return source_; }

   private:
    /// While records are decoded the memory is idle: asks for as much of what comes behind them,
    /// if it is there.
    void look_ahead(const std::byte* from) const noexcept {
      if (from >= look_until_) return;
      constexpr std::ptrdiff_t line = 64, most = 3 * line;
      const std::byte* const to = from + std::min(cursor_.data() - from, most);
      for (; from < to; from += line) __builtin_prefetch(from + look_distance_, 0, 2);
    }
    bool next_slowly(record::RecordView& out);
    bool next_batch();
    bool leave_batch(record::RecordCursor::Step step);

    FetchedRecords* records_ = nullptr;
    std::size_t part_ = 0;
    std::size_t at_ = 0;
    bool in_batch_ = false;
    const TopicPartition* source_ = nullptr;
    Offset end_;
    record::RecordCursor cursor_;
    const std::byte* look_until_ = nullptr;
    std::ptrdiff_t look_distance_ = 0;
  };

  /// What stopped the last walk early; success if nothing did.
  Result<void> status() const { return failure_ ? Result<void>(*failure_) : Result<void>(); }

 private:
  const Unpacked* find_unpacked(const std::byte* batch) const noexcept;

  std::vector<Part> parts_;
  std::vector<Unpacked> unpacked_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> decompressed_;
  std::optional<Error> failure_;
};

}  // namespace millrace::inline v0
