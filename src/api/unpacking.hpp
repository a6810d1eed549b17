#pragma once
#include <array>
#include <millrace/fetched.hpp>

namespace millrace::inline v0::detail {

/// Decompresses what polls read of one partition. A batch of which a poll takes some records is
/// kept for those that take the others, so that it is decompressed once.
class Unpacker {
 public:
  explicit Unpacker(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}

  /// Decompresses the batches of a chunk, as many as `records` records need and the budget has room
  /// for, and cuts the chunk off behind them: it is empty if there is no room until records that
  /// were given out are gone. An error, with the offsets, if the first batch is damaged or does not
  /// fit into the whole budget.
  Result<void> unpack(storage::Chunk& chunk, std::int64_t records,
                      std::vector<FetchedRecords::Unpacked>& into);
  /// All records below `position` were taken.
  void forget_below(Offset position);
  /// Keeps nothing; false if nothing was kept.
  bool forget_all() noexcept;
  /// How many batches it has decompressed.
  std::int64_t count() const noexcept { return count_; }

 private:
  using Header = std::array<std::byte, record::layout::header_bytes>;
  struct Kept {
    Header header;  // with the checksum of what follows: the same batch, wherever it stands by now
    Offset end;
    record::RecordCursor records;
    std::shared_ptr<const FetchedRecords::UnpackedBytes> bytes;
  };
  Result<const Kept*> find_or_make(const record::BatchView& batch, std::size_t room);

  std::shared_ptr<MemoryBudget> budget_;
  std::vector<Kept> kept_;
  std::int64_t count_ = 0;
};

}  // namespace millrace::inline v0::detail
