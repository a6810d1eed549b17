#include <algorithm>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/offset_index.hpp>

namespace millrace::inline v0::storage {

Result<void> OffsetIndex::open(const os::DirectoryPtr& directory, Offset base, IndexMode mode,
                               std::uint64_t limit_bytes) {
  base_ = base;
  return file_.open(directory, file_name(base, offset_index_suffix), mode, entry_bytes,
                    limit_bytes);
}

OffsetEntry OffsetIndex::entry(std::size_t i) const noexcept {
  const std::byte* at = file_.entry(i);
  return {base_ + load_big<std::int32_t>(at), FilePosition{load_big<std::uint32_t>(at + 4)}};
}

/// Entries lie nearly evenly: where the one that is looked for should be, a few lines usually hold
/// it, where halving the whole index touches a line a step.
void OffsetIndex::narrow(std::int64_t relative, std::size_t& low,
                         std::size_t& length) const noexcept {
  constexpr std::size_t reach = 8;
  const auto at = [&](std::size_t i) -> std::int64_t {
    return load_big<std::int32_t>(file_.entry(i));
  };
  if (length <= 4 * reach) return;
  const std::int64_t last = at(length - 1);
  if (relative >= last) return;
  const auto guess = static_cast<std::size_t>(
      static_cast<double>(relative) / static_cast<double>(last) * static_cast<double>(length));
  const std::size_t from = guess > reach ? guess - reach : 0;
  const std::size_t to = std::min(from + 2 * reach, length - 1);
  if ((from > 0 && at(from - 1) >= relative) || at(to) < relative) return;
  low = from;
  length = to - from;
}

std::size_t OffsetIndex::entries_below(Offset offset) const noexcept {
  if (offset <= base_) return 0;
  const std::int64_t relative = offset - base_;
  std::size_t low = 0;
  std::size_t length = file_.count();
  narrow(relative, low, length);
  while (length > 0) {  // written so that the compiler can use a conditional move
    const std::size_t half = length / 2;
    const bool below = load_big<std::int32_t>(file_.entry(low + half)) < relative;
    low = below ? low + half + 1 : low;
    length = below ? length - half - 1 : half;
  }
  return low;
}

std::optional<OffsetEntry> OffsetIndex::at_or_below(Offset offset) const noexcept {
  const std::size_t n = entries_below(offset + 1);
  if (n == 0) return std::nullopt;
  return entry(n - 1);
}

void OffsetIndex::append(OffsetEntry entry) noexcept {
  // One aligned 8-byte store, so that a killed process never leaves half an entry behind.
  std::byte bytes[entry_bytes];
  store_big(bytes, static_cast<std::int32_t>(entry.offset - base_));
  store_big(bytes + 4, static_cast<std::uint32_t>(entry.position.value()));
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(file_.next_entry()))
      .store(word, std::memory_order_relaxed);
  file_.publish();
}

Result<void> OffsetIndex::check(FilePosition end) const {
  OffsetEntry last{base_ - 1, FilePosition{}};
  for (std::size_t i = 0; i < file_.count(); ++i) {
    const OffsetEntry e = entry(i);
    if (e.offset <= last.offset || (i > 0 && e.position <= last.position) || e.position >= end) {
      return Error(Errc::corrupt_data, "offset index of segment " + file_name(base_, log_suffix) +
                                           ": entry " + std::to_string(i) +
                                           " is out of order; it is rebuilt from the log");
    }
    last = e;
  }
  return {};
}

}  // namespace millrace::inline v0::storage
