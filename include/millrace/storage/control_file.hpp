#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <millrace/os/directory.hpp>
#include <millrace/os/mapping.hpp>

namespace millrace::inline v0::storage {

/// What a control block says of the log it stands for.
enum class ControlState : std::uint32_t {
  unknown = 0,  ///< never completed: trust nothing
  live = 1,     ///< an owner is at work, or was killed at work
  clean = 2,    ///< closed in order; everything below log_end_offset is durable
  failed = 3,   ///< a sync failed: the page cache is not to be trusted
};

/// The first bytes of a partition's `control` file, mapped by the owner and by every attachment.
/// Host byte order: it never leaves the machine, and is derived data, rebuilt when the log is
/// opened. Every published field only grows while an owner is live, truncation apart.
struct ControlBlock {
  static constexpr std::uint64_t magic_value = 0x6c72746370726d31;  // "1mrpctrl"
  static constexpr std::uint32_t current_version = 2;
  static constexpr std::int64_t no_unstable_offset = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t all_saved = std::numeric_limits<std::int64_t>::max();

  // Identity; written while opening, rolling and closing.
  std::uint64_t magic = 0;
  std::uint32_t version = 0;
  std::atomic<std::uint32_t> state;
  std::atomic<std::uint64_t> active_file[5];  ///< see store_identity()
  std::atomic<std::uint32_t> compacted;       ///< 1: gaps between batches are normal
  std::atomic<std::uint32_t> checksum;        ///< of a clean block, see ControlFile::seal()

  // Published by the appender.
  alignas(64) std::atomic<std::int64_t> high_watermark;  ///< readers see offsets below
  std::atomic<std::int64_t> log_end_offset;              ///< next offset to be given
  std::atomic<std::int64_t> active_base_offset;
  std::atomic<std::uint64_t> active_end;  ///< bytes of the active segment in use

  // Published by flush, retention and roll.
  alignas(64) std::atomic<std::int64_t> flushed_offset;  ///< everything below is durable
  std::atomic<std::int64_t> log_start_offset;
  /// Changes when the set of segments does; odd while files are being exchanged.
  std::atomic<std::uint64_t> segments_generation;
  /// Where the first open transaction begins; no_unstable_offset if there is none. Readers of
  /// committed records see offsets below this and below the high watermark.
  std::atomic<std::int64_t> first_unstable_offset;
  /// The newest leader epoch and where it begins, in case its checkpoint was not written yet.
  std::atomic<std::int64_t> epoch_start;
  std::atomic<std::int32_t> leader_epoch;
  /// 1: readers leave out records that ask to be seen later.
  std::atomic<std::uint32_t> delayed;
  /// The newest snapshot of producers, -1 without any, and the first batch with a producer id from
  /// there on, all_saved if there is none. What stands between the two need not be read to know the
  /// producers.
  std::atomic<std::int64_t> producer_snapshot;
  std::atomic<std::int64_t> first_unsaved_offset;

  // Written by readers about to sleep.
  alignas(64) std::atomic<std::uint32_t> sleepers;
};
static_assert(sizeof(ControlBlock) <= 512, "one sector, so that it is written as a whole");
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

/// Which file the active segment's .log is, and in which run of the machine: kept in words that
/// other processes may read while they change.
void store_identity(ControlBlock& block, const os::FileIdentity& identity) noexcept;
os::FileIdentity load_identity(const ControlBlock& block) noexcept;
std::array<std::uint8_t, 16> load_boot_id(const ControlBlock& block) noexcept;

/// A partition's control block in a shared map. Movable handle.
class ControlFile {
 public:
  static constexpr const char* name = "control";
  static constexpr std::uint64_t file_bytes = 4096;

  /// The owner's: creates it if missing, keeps the file (and its inode, which attachments have
  /// mapped) if it is there. Without room on the disk for a new one falls back to private memory:
  /// everything works but attachments.
  static Result<ControlFile> open_owner(const os::DirectoryPtr& directory);
  /// Somebody else's. Writable if the file system lets us (so that we can ask to be woken).
  static Result<ControlFile> attach(const os::DirectoryPtr& directory);

  ControlBlock& block() const noexcept { return *block_; }
  /// Whether magic and version say that the fields mean something.
  bool is_valid() const noexcept;
  bool is_writable() const noexcept { return writable_; }
  /// Resets all fields to those of an empty log and stamps magic and version.
  void initialise() noexcept;
  /// Marks the block clean, with a checksum over what it says of the log.
  void seal() noexcept;
  /// Whether the checksum of a clean block is right.
  bool is_sealed() const noexcept;
  /// Makes the block durable.
  Result<void> sync() const;

 private:
  os::Mapping map_;
  std::shared_ptr<ControlBlock> own_;
  ControlBlock* block_ = nullptr;
  bool writable_ = true;
};

}  // namespace millrace::inline v0::storage
