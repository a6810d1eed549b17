#include "server/kafka/partition_fetch.hpp"

#include <millrace/protocol/message_conversion.hpp>
#include <millrace/storage/log_cursor.hpp>
#include <millrace/storage/transaction_index.hpp>

#include "server/kafka/server_state.hpp"
#include "server/kafka/visible_records.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using Answer = FetchResponse::Partition;

Result<void> add_aborted(engine::Partition& partition, const OffsetRange& offsets, Answer& answer) {
  MILLRACE_TRY(const auto aborted, storage::find_aborted(partition.source(), offsets));
  for (const auto& transaction : aborted) {
    answer.aborted_transactions->push_back(
        {transaction.producer_id, transaction.first_offset.value()});
  }
  return {};
}

/// What was read, where it stands or in memory of its own.
struct Found {
  Bytes bytes;
  std::shared_ptr<const void> pin;
  OffsetRange offsets;
};

std::shared_ptr<std::vector<std::byte>> keep(std::vector<std::byte> bytes) {
  return std::make_shared<std::vector<std::byte>>(std::move(bytes));
}

Result<Found> find(engine::Partition& partition, Offset from, Offset limit, std::size_t max_bytes) {
  storage::LogCursor cursor(partition.source(), from);
  for (;;) {
    MILLRACE_TRY(storage::Chunk chunk,
                 cursor.read(limit, {.max_bytes = max_bytes, .check_crc = false}));
    if (!partition.delays() || chunk.empty()) {
      return Found{chunk.bytes, chunk.pin, {chunk.begin, chunk.end}};
    }
    MILLRACE_TRY(auto visible, visible_records(chunk.bytes));
    // A client that got nothing would ask for the same again: go on to what it can see.
    if (visible.empty()) continue;
    const auto kept = keep(std::move(visible));
    return Found{*kept, kept, {chunk.begin, chunk.end}};
  }
}

/// For clients before record batches.
Result<Found> convert(const Found& found, const PartitionFetch& wanted) {
  const auto magic = static_cast<std::int8_t>(wanted.version < 2 ? 0 : 1);
  MILLRACE_TRY(auto converted, down_convert(found.bytes, {.magic = magic,
                                                          .from = wanted.offset,
                                                          .max_bytes = wanted.max_bytes}));
  const auto kept = keep(std::move(converted.set));
  return Found{*kept, kept, found.offsets};
}

Result<void> read(engine::Partition& partition, const PartitionFetch& wanted, FetchTotal& total,
                  Answer& answer, Request::Pins& pins) {
  constexpr ApiVersion first_with_batches = 4;
  const Offset readable = partition.visible_end();
  const Offset limit = wanted.is_committed_only ? partition.stable_end() : readable;
  // Offsets that are there, but not to be seen yet, are not out of range.
  if (wanted.offset >= limit && wanted.offset <= partition.written_end()) return {};
  const std::size_t most = std::min(wanted.max_bytes, total.bytes_left);
  if (most == 0 && total.bytes > 0) return {};
  MILLRACE_TRY(Found found, find(partition, wanted.offset, limit, most));
  // The first batch comes whole, however long, so that clients get on; but only the first of all.
  if (found.bytes.empty() || (found.bytes.size() > most && total.bytes > 0)) return {};
  if (wanted.version < first_with_batches) {
    MILLRACE_TRY(found, convert(found, wanted));
  } else if (wanted.is_committed_only) {
    MILLRACE_CHECK(add_aborted(partition, found.offsets, answer));
  }
  answer.records = found.bytes;
  pins.push_back(std::move(found.pin));
  total.bytes += found.bytes.size();
  total.bytes_left -= std::min(total.bytes_left, found.bytes.size());
  return {};
}

WireError epoch_error(std::int32_t epoch) {
  if (epoch < 0 || epoch == only_leader_epoch) return WireError::none;
  return epoch < only_leader_epoch ? WireError::fenced_leader_epoch
                                   : WireError::unknown_leader_epoch;
}

}  // namespace

void fetch_partition(const FoundPartition& found, const PartitionFetch& wanted, FetchTotal& total,
                     Answer& answer, Request::Pins& pins) {
  answer.records = Bytes();
  answer.high_watermark = -1;
  const auto fail = [&](WireError error) {
    answer.error_code = error;
    total.has_error = true;
  };
  if (found.partition == nullptr) return fail(found.error);
  engine::Partition& partition = *found.partition;
  if (const auto error = epoch_error(wanted.leader_epoch); error != WireError::none) {
    return fail(error);
  }
  if (wanted.is_committed_only)
    answer.aborted_transactions.emplace();
  else
    answer.aborted_transactions.reset();
  answer.last_stable_offset = partition.stable_end().value();
  answer.high_watermark = partition.visible_end().value();
  answer.log_start_offset = partition.log_start_offset().value();
  if (auto done = read(partition, wanted, total, answer, pins); !done) {
    fail(to_wire(done.error().code()));
  }
}

}  // namespace millrace::inline v0::server
