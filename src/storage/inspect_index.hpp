#pragma once
#include <millrace/record/batch_view.hpp>
#include <millrace/storage/inspect.hpp>
#include <millrace/storage/offset_index.hpp>
#include <millrace/storage/time_index.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::storage {

/// Holds a segment's two indexes against its batches, which are shown one after another.
class IndexCheck {
 public:
  IndexCheck(const os::DirectoryPtr& directory, Offset base);

  void batch(const record::BatchView& batch, std::uint64_t position);
  /// Offsets that could not be read: entries for them say nothing.
  void damage(std::uint64_t position, std::uint64_t length, OffsetRange offsets);
  /// `is_sealed`: the indexes must be complete and trimmed. Appends what is wrong.
  void finish(bool is_sealed, std::vector<Finding>& findings);
  /// Instead of finish() for indexes that opening removes: whatever is in them, it is a note.
  void name_old(std::vector<Finding>& findings) const;

  std::uint64_t offset_entries() const noexcept { return offsets_.size(); }
  std::uint64_t time_entries() const noexcept { return times_.size(); }
  Timestamp largest() const noexcept { return largest_; }

 private:
  struct File {
    std::string name;
    FindingKind kind = FindingKind::offset_index;
    std::string fault;  // the first one
    std::uint64_t position = 0;
    std::uint64_t length = 0;
    bool is_missing = false;
    bool has_zeros = false;  // behind the entries
  };

  std::vector<std::byte> load(const os::DirectoryPtr& directory, File& file,
                              std::size_t entry_bytes);
  void load_offsets(const os::DirectoryPtr& directory);
  void load_times(const os::DirectoryPtr& directory);
  void offset_fault(std::size_t entry, const std::string& fault);
  void time_fault(std::size_t entry, const std::string& fault);
  void pass_times_below(Offset offset);

  Offset base_;
  File offset_file_;
  File time_file_;
  std::vector<OffsetEntry> offsets_;
  std::vector<TimeEntry> times_;
  std::size_t next_offset_ = 0;  // the entry that is to be met next
  std::size_t next_time_ = 0;
  bool has_batches_ = false;
  bool has_damage_ = false;
  Timestamp largest_ = Timestamp::none();
};

}  // namespace millrace::inline v0::storage
