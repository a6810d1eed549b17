#pragma once
#include <memory>
#include <vector>

#include <millrace/record/batch_view.hpp>
#include <millrace/storage/log_cursor.hpp>

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

  void add(Part part) { parts_.push_back(std::move(part)); }
  const std::vector<Part>& parts() const noexcept { return parts_; }

  /// Walks all records. Stops early at bytes that break the format; status() then says where.
  class Cursor {
   public:
    explicit Cursor(FetchedRecords& records) : records_(&records) {}
    /// False at the end.
    bool next(record::RecordView& out) {
      if (in_batch_) [[likely]] {
        const auto step = cursor_.next(out);
        if (step == record::RecordCursor::Step::record && out.offset < end_) [[likely]] return true;
        if (!leave_batch(step)) return false;
      }
      return enter_batch(out);
    }
    /// Of the record that next() has given.
    PartitionId partition() const noexcept { return partition_; }

   private:
    bool next_batch();
    bool enter_batch(record::RecordView& out);
    bool leave_batch(record::RecordCursor::Step step);
    FetchedRecords* records_;
    std::size_t part_ = 0;
    std::size_t at_ = 0;
    bool in_batch_ = false;
    PartitionId partition_ = 0;
    Offset end_;
    record::RecordCursor cursor_;
  };

  /// What stopped the last walk early; success if nothing did.
  Result<void> status() const { return failure_ ? Result<void>(*failure_) : Result<void>(); }

 private:
  std::vector<Part> parts_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> decompressed_;
  std::optional<Error> failure_;
};

}  // namespace millrace::inline v0
