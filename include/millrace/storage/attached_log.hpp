#pragma once
#include <array>
#include <map>
#include <memory>
#include <millrace/storage/segment_source.hpp>
#include <mutex>

namespace millrace::inline v0::storage {

/// Another process's log, read through its directory: through the maps, without locks and, while
/// data flows, without system calls. It may be opened and read with the owner at work, closed or
/// killed, and lives through the owner's restarts, rolls, retention and compaction. Thread-safe.
class AttachedLog final : public SegmentSource {
 public:
  /// Needs the directory of one partition that an owner has opened once. corrupt_data if its
  /// control file is cut short; io_error (ENOENT) if there is none; newer_format if it is of a
  /// later millrace.
  static Result<std::unique_ptr<AttachedLog>> open(os::DirectoryPtr directory);

  const ControlBlock& control() const noexcept override { return *block_; }
  Result<SegmentListPtr> segments() override;

  /// Readers see offsets below: what the owner shows its own readers if that was in this run of the
  /// machine; else, with nobody having recovered the log yet, only what is known to be durable.
  Offset visible_end() const noexcept { return trusted_end(control().high_watermark); }
  /// Behind what the owner has appended, though it may not show it to its readers yet; the same as
  /// visible_end() if that is only what is durable.
  Offset written_end() const noexcept { return trusted_end(control().log_end_offset); }
  /// Where a reader about to sleep leaves its mark; null if the file is not writable for us.
  ControlBlock* wake_flag() noexcept {
    return control_->is_writable() ? &control_->block() : nullptr;
  }

 private:
  explicit AttachedLog(os::DirectoryPtr directory) : directory_(std::move(directory)) {}
  Offset trusted_end(const std::atomic<std::int64_t>& published) const noexcept;
  Result<SegmentListPtr> list_segments(std::uint64_t generation);
  SegmentPtr known_segment(Offset base, const os::FileIdentity& identity) const;

  os::DirectoryPtr directory_;
  std::shared_ptr<const ControlBlock> block_;  // keeps the file mapped
  const ControlFile* control_ = nullptr;
  std::array<std::uint8_t, 16> boot_id_{};
  // The owner has written the block since the machine was started; it stays so until that ends.
  mutable std::atomic<bool> same_run_{false};
  std::mutex mutex_;
  SegmentListPtr list_;
  std::map<Offset, os::FileIdentity> identities_;  // of the files in list_
};

}  // namespace millrace::inline v0::storage
