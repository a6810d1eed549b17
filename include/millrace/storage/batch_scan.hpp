#pragma once
#include <limits>
#include <millrace/record/batch_view.hpp>
#include <optional>

namespace millrace::inline v0::storage {

/// The next good batch at or after `position` that starts at or after `offset` and ends below
/// `offset_limit`: where reading can go on behind damage. `position` is where a batch should stand.
///
/// A batch is good if it parses and its CRC matches. One that is found by looking at every byte
/// must also be followed by what may follow a batch, since the bytes of a damaged batch may hold
/// others as a record's value. Takes time in proportion to the bytes, whatever they are.
std::optional<std::uint64_t> find_next_batch(Bytes log, std::uint64_t position, Offset offset,
                                             Offset offset_limit);

/// One past the last byte at or after `position` that is not zero; `position` if all are.
std::uint64_t end_of_content(Bytes bytes, std::uint64_t position) noexcept;

/// Walks the batches in a segment's bytes, checking every one, and steps over what is damaged. The
/// bytes must stay readable meanwhile.
class BatchScan {
 public:
  enum class Step : std::uint8_t {
    batch,   ///< a good batch; missing() is not empty if offsets are left out before it
    damage,  ///< bytes that are no good batch; missing() are the offsets that stood there
    end,     ///< nothing but zeros is left, from position() on
  };

  /// `base` is the segment's base offset, where the first batch is expected; the last one ends
  /// below `limit`, the base of the next segment.
  BatchScan(Bytes log, Offset base,
            Offset limit = Offset{std::numeric_limits<std::int64_t>::max()}) noexcept;

  Step next();

  /// Of the step: where it begins and how long it is.
  std::uint64_t position() const noexcept { return position_; }
  std::uint64_t length() const noexcept { return end_ - position_; }
  /// The batch of a Step::batch.
  const record::BatchView& batch() const noexcept { return batch_; }
  /// Of Step::damage with nothing good behind it: only the begin is known, the range is empty.
  OffsetRange missing() const noexcept { return missing_; }
  /// The offset that follows what was passed so far.
  Offset expected() const noexcept { return expected_; }

 private:
  Bytes log_;
  std::uint64_t position_ = 0;
  std::uint64_t end_ = 0;
  Offset limit_;
  Offset expected_;
  OffsetRange missing_;
  record::BatchView batch_;
};

}  // namespace millrace::inline v0::storage
