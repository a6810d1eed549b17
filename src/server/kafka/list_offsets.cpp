#include <millrace/storage/log_cursor.hpp>

#include "server/kafka/handlers.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;

enum SpecialTime : std::int64_t { latest = -1, earliest = -2, largest = -3, earliest_local = -4 };

struct Found {
  std::int64_t offset = -1;
  std::int64_t timestamp = -1;
};

/// Kafka's answer for the record of the largest time: the first of them.
Result<Found> find_largest(engine::Partition& partition, Offset limit) {
  Timestamp largest = Timestamp::none();
  storage::LogCursor cursor(partition.source(), partition.log_start_offset());
  for (;;) {
    auto chunk = cursor.read(limit, {.check_crc = false});
    if (!chunk) return chunk.error();
    if (chunk->empty()) break;
    for (Bytes rest = chunk->bytes; !rest.empty();) {
      const auto batch = record::BatchView::try_parse(rest);
      if (batch.size() == 0) break;
      largest = std::max(largest, batch.max_timestamp());
      rest = rest.subspan(batch.size());
    }
  }
  if (largest == Timestamp::none()) return Found();
  const auto found = storage::find_time(partition.source(), largest, limit);
  if (!found) return found.error();
  if (!*found) return Found();
  return Found{(*found)->offset.value(), (*found)->timestamp.milliseconds()};
}

Result<Found> find(engine::Partition& partition, std::int64_t time, bool is_committed_only) {
  const Offset limit = is_committed_only ? partition.stable_end() : partition.visible_end();
  switch (time) {
    case latest:
      return Found{limit.value()};
    case earliest:
    case earliest_local:
      return Found{partition.log_start_offset().value()};
    case largest:
      return find_largest(partition, limit);
    default:
      break;
  }
  if (time < 0) return Found();
  const auto found = storage::find_time(partition.source(), Timestamp{time}, limit);
  if (!found) return found.error();
  if (!*found) return Found();
  return Found{(*found)->offset.value(), (*found)->timestamp.milliseconds()};
}

/// Version 0 has offsets of segments in it; the begin and the end are enough of them.
std::vector<std::int64_t> old_style(engine::Partition& partition,
                                    const ListOffsetsRequest::Partition& from, const Found& found) {
  std::vector<std::int64_t> offsets;
  const std::int64_t begin = partition.log_start_offset().value();
  if (found.offset >= 0) offsets.push_back(found.offset);
  if (from.timestamp != earliest && offsets.size() < 2 && found.offset != begin) {
    offsets.push_back(begin);
  }
  const auto most = static_cast<std::size_t>(std::max(from.max_num_offsets, 0));
  if (offsets.size() > most) offsets.resize(most);
  return offsets;
}

}  // namespace

ListOffsetsResponse list_offsets(const ListOffsetsRequest& message, const Request& request) {
  ListOffsetsResponse response;
  for (const auto& topic : message.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    const bool may_look = request.may_topic(Operation::describe, topic.name);
    for (const auto& from : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = from.partition_index;
      answer.error_code = WireError::topic_authorization_failed;
      if (!may_look) continue;
      const auto partition = request.state().partition(topic.name, from.partition_index);
      answer.error_code = to_wire(partition);
      if (!partition) continue;
      const auto found = find(**partition, from.timestamp, message.isolation_level == 1);
      answer.error_code = to_wire(found);
      if (!found) continue;
      answer.offset = found->offset;
      answer.timestamp = found->timestamp;
      if (found->offset >= 0) answer.leader_epoch = only_leader_epoch;
      if (request.version() == 0) answer.old_style_offsets = old_style(**partition, from, *found);
    }
  }
  return response;
}

}  // namespace millrace::inline v0::server
