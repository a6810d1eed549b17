#pragma once
#include <cstdint>
#include <memory>
#include <millrace/core/result.hpp>
#include <millrace/os/directory.hpp>
#include <millrace/os/io_hooks.hpp>
#include <string>

namespace millrace::inline v0::testing {

namespace disk {
struct State;
class Tracker;
}  // namespace disk

/// How much of what was not synced a crash leaves.
enum class CrashMode : std::uint8_t {
  drop_unsynced,   ///< nothing of it
  keep_all,        ///< all of it: a killed process on a machine that runs on
  random_pages,    ///< each 4 KiB page of a file is the old or the new one
  random_sectors,  ///< the same for each 512-byte sector: torn pages
  prefix,          ///< of each file's changed sectors the first few, and its size with them
};

/// How much of the creations, renames and removals that were not synced the random modes leave.
/// A rename is one change: both of its names or neither.
enum class NameChanges : std::uint8_t {
  ordered,      ///< the first few of them, as by a journal
  independent,  ///< any of them
};

/// One possible crash. The same values give the same outcome.
struct Crash {
  CrashMode mode = CrashMode::random_sectors;
  std::uint64_t seed = 0;
  NameChanges names = NameChanges::ordered;
};

/// What a disk and the memory above it held at one moment. Immutable and cheap to copy: images
/// share the pages that they have in common, so that one can be kept for every step of a run.
class DiskImage {
 public:
  explicit DiskImage(std::shared_ptr<const disk::State> state) noexcept
      : state_(std::move(state)) {}

  /// Writes one state that the disk may be in after a loss of power at that moment into `target`,
  /// which should be empty. A file has its old or its new size, except that a file that was cut and
  /// not synced is either cut and new behind the cut, or wholly old there.
  Result<void> materialize(const Crash& crash, os::Directory& target) const;
  /// How much a crash could lose: 512-byte sectors and file sizes that differ between memory and
  /// disk, and changes of names that were not synced. 0: everything is durable.
  std::uint64_t unsynced() const;

 private:
  std::shared_ptr<const disk::State> state_;
};

/// A disk that can lose power: watches what a store does to a real directory (best on tmpfs), and
/// knows of every file what was made durable.
///
/// - File::sync makes the whole file durable as it is then, stores through maps included.
///   Mapping::sync does so for its pages, and for the file's size up to the end of them.
/// - Directory::sync makes the names in that directory durable, and nothing else does: not the sync
///   of a new file.
/// - A sync that failed leaves the pages it was to write marked clean, as Linux does: a later sync
///   succeeds without writing them, unless they were changed again, and File::drop_cache brings
///   back what the disk has. (In the real directory: do not drop what another map still reads.)
///
/// Whatever is in the directory when the object is made is durable. Calls may come from any thread,
/// but what is stored while a sync of the same file runs counts as synced: drive the store from one
/// thread.
class SimulatedDisk final : public os::IoHooks {
 public:
  /// `root` is the directory that the store is about to open with these hooks.
  explicit SimulatedDisk(std::string root);
  ~SimulatedDisk() override;

  /// The present moment. An error if the real directory could not be read, then or earlier.
  Result<DiskImage> snapshot();
  /// snapshot() and materialize() in one.
  Result<void> crash(const Crash& crash, os::Directory& target);

  int before(const os::IoCall& call) noexcept override;
  void after(const os::IoCall& call) noexcept override;
  void failed(const os::IoCall& call, int os_code) noexcept override;

 private:
  std::unique_ptr<disk::Tracker> tracker_;
};

}  // namespace millrace::inline v0::testing
