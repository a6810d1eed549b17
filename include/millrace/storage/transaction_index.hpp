#pragma once
#include <millrace/core/bytes.hpp>
#include <millrace/os/directory.hpp>
#include <millrace/storage/producer_state.hpp>
#include <millrace/storage/segment_source.hpp>
#include <vector>

namespace millrace::inline v0::storage {

// A segment's `.txnindex`, Kafka's: the transactions whose abort marker stands in the segment, in
// the order of the markers. A segment without any has no such file. Derived data, made again from
// the log by who opens it. All-zero bytes are no entry.

inline constexpr std::size_t transaction_entry_bytes = 34;

void encode_transaction(std::byte* to, const AbortedTransaction& transaction);
/// The entries of a file's content; `name` is for messages. corrupt_data if an entry is cut short
/// or none, or comes before one with an earlier marker.
Result<std::vector<AbortedTransaction>> decode_transactions(Bytes content, std::string_view name);

/// The entries of the segment with `base`; none if it has no index.
Result<std::vector<AbortedTransaction>> read_transaction_index(const os::DirectoryPtr& directory,
                                                               Offset base);

/// Adds an entry to the end of a segment's index. On error it is as it was, if the system lets us.
Result<void> append_transaction(const os::DirectoryPtr& directory, Offset base,
                                const AbortedTransaction& transaction);

/// Replaces a segment's index; removes it if there are no entries. Durable but for its name.
Result<void> write_transaction_index(const os::DirectoryPtr& directory, Offset base,
                                     const std::vector<AbortedTransaction>& transactions);

/// Puts entries in the order of their markers, each once.
void sort_by_marker(std::vector<AbortedTransaction>& transactions);

/// Makes a segment's index durable, if it has one.
Result<void> sync_transaction_index(const os::DirectoryPtr& directory, Offset base);

/// The aborted transactions that have records in `range`, by their markers, so that who reads
/// committed records can leave them out: all of them, if the range ends at or below the last stable
/// offset; may name some that have none. Thread-safe; reads nothing but the indexes.
Result<std::vector<AbortedTransaction>> find_aborted(SegmentSource& source, OffsetRange range);

/// Whether a batch is part of one of `aborted`, which has all that have records where it stands.
bool is_aborted(const std::vector<AbortedTransaction>& aborted,
                const record::BatchView& batch) noexcept;

}  // namespace millrace::inline v0::storage
