#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/transaction_index.hpp>

namespace millrace::inline v0::storage {
namespace {

constexpr std::int16_t current_version = 0;
constexpr std::size_t producer_at = 2;
constexpr std::size_t first_offset_at = 10;
constexpr std::size_t last_offset_at = 18;
constexpr std::size_t last_stable_offset_at = 26;
constexpr int max_attempts = 8;

AbortedTransaction decode_transaction(const std::byte* from) {
  return {load_big<std::int64_t>(from + producer_at),
          Offset{load_big<std::int64_t>(from + first_offset_at)},
          Offset{load_big<std::int64_t>(from + last_offset_at)},
          Offset{load_big<std::int64_t>(from + last_stable_offset_at)}};
}

/// A marker follows at least one record, so that zeros are no entry.
bool is_sound(const std::byte* from, const AbortedTransaction& transaction) {
  return load_big<std::int16_t>(from) == current_version && transaction.producer_id >= 0 &&
         transaction.first_offset >= Offset{0} &&
         transaction.first_offset < transaction.last_offset &&
         transaction.last_stable_offset >= Offset{0};
}

Error damaged(std::string_view name, std::size_t position) {
  return {Errc::corrupt_data,
          fmt::format("{} is damaged at byte {}; delete it and open the log, which makes it again",
                      name, position)};
}

Result<void> collect(SegmentSource& source, OffsetRange range,
                     std::vector<AbortedTransaction>& found) {
  MILLRACE_TRY(const SegmentListPtr list, source.segments());
  for (std::size_t i = list->index_of(range.begin); i < list->segments.size(); ++i) {
    const Segment& segment = *list->segments[i];
    MILLRACE_TRY(const auto transactions,
                 read_transaction_index(segment.directory(), segment.base_offset()));
    for (const AbortedTransaction& transaction : transactions) {
      if (transaction.last_offset >= range.begin && transaction.first_offset < range.end) {
        found.push_back(transaction);
      }
      // Whatever ended later began at or above it.
      if (transaction.last_stable_offset >= range.end) return {};
    }
  }
  return {};
}

}  // namespace

void encode_transaction(std::byte* to, const AbortedTransaction& transaction) {
  store_big(to, current_version);
  store_big(to + producer_at, transaction.producer_id);
  store_big(to + first_offset_at, transaction.first_offset.value());
  store_big(to + last_offset_at, transaction.last_offset.value());
  store_big(to + last_stable_offset_at, transaction.last_stable_offset.value());
}

Result<std::vector<AbortedTransaction>> decode_transactions(Bytes content, std::string_view name) {
  std::vector<AbortedTransaction> transactions;
  transactions.reserve(content.size() / transaction_entry_bytes);
  for (std::size_t at = 0; at < content.size(); at += transaction_entry_bytes) {
    if (content.size() - at < transaction_entry_bytes) return damaged(name, at);
    const std::byte* const entry = content.data() + at;
    const AbortedTransaction transaction = decode_transaction(entry);
    const bool follows =
        transactions.empty() || transactions.back().last_offset < transaction.last_offset;
    if (!is_sound(entry, transaction) || !follows) return damaged(name, at);
    transactions.push_back(transaction);
  }
  return transactions;
}

Result<std::vector<AbortedTransaction>> read_transaction_index(const os::DirectoryPtr& directory,
                                                               Offset base) {
  const std::string name = file_name(base, transaction_index_suffix);
  const auto content = directory->read_file(name);
  if (content) return decode_transactions(as_bytes(*content), name);
  if (content.error().os_code() == ENOENT) return std::vector<AbortedTransaction>();
  return content.error();
}

Result<void> append_transaction(const os::DirectoryPtr& directory, Offset base,
                                const AbortedTransaction& transaction) {
  const std::string name = file_name(base, transaction_index_suffix);
  MILLRACE_TRY(os::File file, directory->open(name, os::OpenMode::create));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  std::array<std::byte, transaction_entry_bytes> entry;
  encode_transaction(entry.data(), transaction);
  auto written = file.write_at(entry, size);
  if (!written) static_cast<void>(file.resize(size));
  return written;
}

Result<void> write_transaction_index(const os::DirectoryPtr& directory, Offset base,
                                     const std::vector<AbortedTransaction>& transactions) {
  const std::string name = file_name(base, transaction_index_suffix);
  if (transactions.empty()) return directory->remove(name);
  std::vector<std::byte> content(transactions.size() * transaction_entry_bytes);
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    encode_transaction(content.data() + i * transaction_entry_bytes, transactions[i]);
  }
  const std::string temporary = name + ".tmp";
  MILLRACE_TRY(os::File file, directory->open(temporary, os::OpenMode::replace));
  MILLRACE_CHECK(file.write_at(content, 0));
  MILLRACE_CHECK(file.sync());
  return directory->rename(temporary, name);
}

Result<void> sync_transaction_index(const os::DirectoryPtr& directory, Offset base) {
  const std::string name = file_name(base, transaction_index_suffix);
  MILLRACE_TRY(const bool exists, directory->exists(name));
  if (!exists) return {};
  MILLRACE_TRY(os::File file, directory->open(name, os::OpenMode::read_write));
  return file.sync();
}

void sort_by_marker(std::vector<AbortedTransaction>& transactions) {
  std::sort(transactions.begin(), transactions.end(),
            [](const auto& a, const auto& b) { return a.last_offset < b.last_offset; });
  transactions.erase(std::unique(transactions.begin(), transactions.end()), transactions.end());
}

Result<std::vector<AbortedTransaction>> find_aborted(SegmentSource& source, OffsetRange range) {
  std::vector<AbortedTransaction> found;
  const auto& generation = source.control().segments_generation;
  // While files are exchanged an entry moves to the index of an earlier segment, and may be missed
  // in both; never twice.
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    const std::uint64_t before = generation.load(std::memory_order_acquire);
    MILLRACE_CHECK(collect(source, range, found));
    if (before % 2 == 0 && generation.load(std::memory_order_acquire) == before) break;
  }
  sort_by_marker(found);
  return found;
}

bool is_aborted(const std::vector<AbortedTransaction>& aborted,
                const record::BatchView& batch) noexcept {
  if (!batch.is_transactional()) return false;
  return std::any_of(aborted.begin(), aborted.end(), [&](const auto& transaction) {
    return transaction.producer_id == batch.producer().id &&
           transaction.first_offset <= batch.base_offset() &&
           batch.base_offset() < transaction.last_offset;
  });
}

}  // namespace millrace::inline v0::storage
