#pragma once
#include <array>
#include <memory>
#include <mutex>

#include <millrace/storage/segment_source.hpp>

namespace millrace::inline v0::storage {

/// A log that another process owns, read through nothing but its directory and maps. Needs no
/// running owner; survives the owner's death and restart, rolls, retention and compaction.
/// Thread-safe.
class AttachedLog final : public SegmentSource {
 public:
  static Result<std::unique_ptr<AttachedLog>> open(os::DirectoryPtr directory);

  const ControlBlock& control() const noexcept override { return control_.block(); }
  Result<SegmentListPtr> segments() override;

  /// Readers see offsets below: what the owner published, or, if the machine was restarted since
  /// and no owner has recovered the log yet, what is known to be durable.
  Offset visible_end() const noexcept;
  /// Where to leave the mark of a sleeping reader; null if the file system does not let us.
  ControlBlock* wake_flag() noexcept {
    return control_.is_writable() ? &control_.block() : nullptr;
  }

 private:
  os::DirectoryPtr directory_;
  ControlFile control_;
  std::array<std::uint8_t, 16> boot_id_{};
  std::mutex mutex_;
  SegmentListPtr list_;
};

}  // namespace millrace::inline v0::storage
