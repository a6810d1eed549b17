#include "server/kafka/partition_fetch.hpp"

#include <millrace/protocol/message_conversion.hpp>
#include <millrace/storage/log_cursor.hpp>
#include <millrace/storage/transaction_index.hpp>

#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using Answer = FetchResponse::Partition;

Result<void> add_aborted(engine::Partition& partition, const storage::Chunk& chunk,
                         Answer& answer) {
  auto aborted = storage::find_aborted(partition.source(), {chunk.begin, chunk.end});
  if (!aborted) return aborted.error();
  for (const auto& transaction : *aborted) {
    answer.aborted_transactions->push_back(
        {transaction.producer_id, transaction.first_offset.value()});
  }
  return {};
}

/// Clients before record batches.
Result<void> convert(const storage::Chunk& chunk, const PartitionFetch& wanted, Answer& answer,
                     Request::Pins& pins) {
  auto converted =
      down_convert(chunk.bytes, {.magic = static_cast<std::int8_t>(wanted.version < 2 ? 0 : 1),
                                 .from = wanted.offset,
                                 .max_bytes = wanted.max_bytes});
  if (!converted) return converted.error();
  const auto kept = std::make_shared<std::vector<std::byte>>(std::move(converted->set));
  answer.records = *kept;
  pins.push_back(kept);
  return {};
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
  storage::LogCursor cursor(partition.source(), wanted.offset);
  auto chunk = cursor.read(limit, {.max_bytes = most, .check_crc = false});
  if (!chunk) return chunk.error();
  // The first batch comes whole, however long, so that clients get on; but only the first of all.
  if (chunk->empty() || (chunk->bytes.size() > most && total.bytes > 0)) return {};
  if (wanted.version < first_with_batches) {
    if (auto done = convert(*chunk, wanted, answer, pins); !done) return done;
  } else {
    if (wanted.is_committed_only) {
      if (auto done = add_aborted(partition, *chunk, answer); !done) return done;
    }
    answer.records = chunk->bytes;
    pins.push_back(chunk->pin);
  }
  total.bytes += answer.records->size();
  total.bytes_left -= std::min(total.bytes_left, answer.records->size());
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
