#include <fmt/format.h>

#include <algorithm>
#include <millrace/client/errors.hpp>
#include <millrace/client/fetcher.hpp>
#include <millrace/protocol/messages/list_offsets.hpp>

namespace millrace::inline v0::client {

using namespace protocol;

namespace {

// From the next one on topics go by id alone.
constexpr ApiVersion last_with_names = 12;

/// Which batches of one answer belong to transactions that were aborted.
class Aborted {
 public:
  explicit Aborted(const FetchResponse::Partition& answer) {
    if (answer.aborted_transactions) left_ = *answer.aborted_transactions;
  }
  bool covers(const record::BatchView& batch) {
    const std::int64_t producer = batch.producer().id;
    std::erase_if(left_, [&](const auto& one) {
      if (one.first_offset > batch.last_offset().value()) return false;
      open_.push_back(one.producer_id);
      return true;
    });
    const auto found = std::find(open_.begin(), open_.end(), producer);
    if (found == open_.end()) return false;
    // Its marker ends it; the producer's next transaction may be committed.
    if (batch.is_control()) open_.erase(found);
    return batch.is_transactional();
  }

 private:
  std::vector<FetchResponse::AbortedTransaction> left_;
  std::vector<std::int64_t> open_;
};

}  // namespace

Result<void> Fetcher::ask(Connection& leader, const std::vector<std::int32_t>& partitions) {
  FetchRequest request{
      .max_wait_ms = static_cast<std::int32_t>(options_.most_wait.count()),
      .min_bytes = options_.least_bytes,
      .max_bytes = options_.most_bytes,
      .isolation_level = static_cast<std::int8_t>(options_.committed_only ? 1 : 0),
  };
  auto& topic = request.topics.emplace_back();
  topic.topic = topic_.name.value_or("");
  for (const std::int32_t id : partitions) {
    topic.partitions.push_back({.partition = id,
                                .fetch_offset = positions_.at(id).value(),
                                .partition_max_bytes = options_.most_partition_bytes});
  }
  return leader.send(request, last_with_names);
}

Result<std::size_t> Fetcher::poll(const Visit& visit) {
  // Not while answers are looked at: they may stand where the next one is read to.
  if (std::exchange(is_outdated_, false)) {
    MILLRACE_TRY(topic_, cluster_.topic(topic_.name.value_or("")));
  }
  std::map<Connection*, std::vector<std::int32_t>> by_leader;
  for (const auto& [id, position] : positions_) {
    MILLRACE_TRY(Connection* const leader, cluster_.leader_of(topic_, id));
    by_leader[leader].push_back(id);
  }
  for (const auto& [leader, partitions] : by_leader) MILLRACE_CHECK(ask(*leader, partitions));
  std::size_t records = 0;
  std::optional<Error> failure;
  for (const auto& [leader, partitions] : by_leader) {
    MILLRACE_TRY(const auto response, leader->receive<FetchResponse>());
    MILLRACE_CHECK(check(fmt::format("reading from {}", leader->address()), response.error_code));
    for (const auto& answers : response.responses) {
      for (const Answer& answer : answers.partitions) {
        const auto taken = take(answer, visit);
        if (taken)
          records += *taken;
        else if (!failure)
          failure = taken.error().at(topic_.name.value_or(""), answer.partition_index);
      }
    }
  }
  if (failure && records == 0) return *failure;
  return records;
}

Result<std::size_t> Fetcher::take(const Answer& answer, const Visit& visit) {
  const TopicPartition name{topic_.name.value_or(""), answer.partition_index};
  if (is_passing(answer.error_code)) {
    is_outdated_ = true;
    return std::size_t{0};
  }
  const Offset position = positions_.at(name.partition);
  MILLRACE_CHECK(check(fmt::format("reading from offset {}", position.value()), answer.error_code));
  Aborted aborted(answer);
  std::size_t records = 0;
  Bytes left = answer.records.value_or(Bytes());
  while (!left.empty()) {
    // The last batch may be cut off.
    const auto batch = record::BatchView::try_parse(left);
    if (batch.size() == 0) break;
    left = left.subspan(batch.size());
    if (batch.next_offset() <= positions_.at(name.partition)) continue;
    if (options_.check_crcs && !batch.crc_matches()) {
      return Error(Errc::corrupt_data, "a batch came with a wrong checksum")
          .with_offsets({batch.base_offset(), batch.next_offset()});
    }
    const bool is_hidden = options_.committed_only && aborted.covers(batch);
    if (!is_hidden && !batch.is_control()) {
      MILLRACE_TRY(const std::size_t walked, walk(batch, name, visit));
      records += walked;
    }
    positions_[name.partition] = batch.next_offset();
  }
  return records;
}

Result<std::size_t> Fetcher::walk(const record::BatchView& batch, const TopicPartition& name,
                                  const Visit& visit) {
  MILLRACE_TRY(auto cursor, record::RecordCursor::open(batch, scratch_));
  const Offset from = positions_.at(name.partition);
  std::size_t records = 0;
  record::RecordView record;
  auto step = cursor.next(record);
  for (; step == record::RecordCursor::Step::record; step = cursor.next(record)) {
    if (record.offset < from) continue;
    visit(name, record);
    ++records;
  }
  if (step != record::RecordCursor::Step::malformed) return records;
  return Error(Errc::corrupt_data, "the records of a batch make no sense")
      .with_offsets({batch.base_offset(), batch.next_offset()});
}

Result<std::optional<Offset>> Fetcher::find(std::int32_t partition, std::int64_t time) {
  ListOffsetsRequest request{
      .replica_id = -1,
      .isolation_level = static_cast<std::int8_t>(options_.committed_only ? 1 : 0)};
  request.topics.push_back({.name = topic_.name.value_or(""),
                            .partitions = {{.partition_index = partition, .timestamp = time}}});
  MILLRACE_TRY(Connection* const leader, cluster_.leader_of(topic_, partition));
  MILLRACE_TRY(const auto response, leader->call<ListOffsetsResponse>(request));
  if (response.topics.size() != 1 || response.topics[0].partitions.size() != 1) {
    return Error(Errc::corrupt_data, "the answer is about other partitions than were asked for");
  }
  const auto& answer = response.topics[0].partitions[0];
  if (auto done = check("looking for an offset", answer.error_code); !done) {
    return done.error().at(topic_.name.value_or(""), partition);
  }
  if (answer.offset < 0) return std::optional<Offset>();
  return std::optional(Offset{answer.offset});
}

}  // namespace millrace::inline v0::client
