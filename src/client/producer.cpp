#include <fmt/format.h>

#include <millrace/client/errors.hpp>
#include <millrace/client/patience.hpp>
#include <millrace/client/producer.hpp>
#include <millrace/protocol/messages/init_producer_id.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <thread>

namespace millrace::inline v0::client {

using namespace protocol;

namespace {

constexpr std::chrono::milliseconds pause_before_next_attempt(100);

}  // namespace

Result<std::unique_ptr<Producer>> Producer::open(Cluster& cluster, const std::string& topic,
                                                 const ProducerOptions& options) {
  std::unique_ptr<Producer> producer(new Producer(cluster, options));
  MILLRACE_TRY(producer->topic_, cluster.topic(topic));
  MILLRACE_CHECK(producer->take_identity());
  return producer;
}

Result<void> Producer::take_identity() {
  const bool has_name = !options_.transactional_id.empty();
  if (!options_.idempotent && !has_name) return {};
  InitProducerIdRequest request;
  request.transactional_id.reset();
  request.transaction_timeout_ms = static_cast<std::int32_t>(options_.transaction_timeout.count());
  Connection* to = &cluster_.any();
  if (has_name) {
    request.transactional_id = options_.transactional_id;
    MILLRACE_TRY(
        to, cluster_.coordinator(Cluster::CoordinatorOf::transaction, options_.transactional_id));
  }
  // It is refused for now while another producer's transaction under that name is being ended.
  MILLRACE_TRY(const auto response,
               ask_patiently({options_.most_attempts, pause_before_next_attempt},
                             [&] { return to->call<InitProducerIdResponse>(request); }));
  MILLRACE_CHECK(check("asking for a producer id", response.error_code));
  identity_ = {response.producer_id, response.producer_epoch, 0};
  return {};
}

void Producer::reset(Lane& lane) {
  record::BatchOptions options{.codec = options_.codec,
                               .transactional = !options_.transactional_id.empty(),
                               .producer = identity_};
  if (identity_.id >= 0) options.producer.base_sequence = lane.next_sequence;
  lane.builder.reset(options);
}

Result<void> Producer::send(const OutgoingRecord& record) {
  const auto [found, is_new] = lanes_.try_emplace(record.partition);
  Lane& lane = found->second;
  if (is_new) reset(lane);
  const std::size_t bound =
      record::BatchBuilder::record_bound(record.key, record.value, record.headers);
  if (!lane.builder.empty() && lane.builder.size_bytes() + bound > options_.batch_bytes) {
    MILLRACE_CHECK(send_lane(record.partition, lane));
  }
  const auto added = lane.builder.add(record.timestamp, record.key, record.value, record.headers);
  if (!added) {
    if (record.callback) record.callback(added.error());
    failure_ = added.error();
    return {};
  }
  lane.callbacks.push_back(record.callback);
  if (lane.builder.size_bytes() < options_.batch_bytes) return {};
  return send_lane(record.partition, lane);
}

Result<void> Producer::send_lane(std::int32_t partition, Lane& lane) {
  if (lane.builder.empty()) return {};
  MILLRACE_CHECK(add_to_transaction(partition, lane));
  Batch batch{.partition = partition, .bytes = {}, .callbacks = std::move(lane.callbacks)};
  MILLRACE_TRY(const auto bytes, lane.builder.finish());
  batch.bytes.assign(bytes.begin(), bytes.end());
  lane.callbacks.clear();
  lane.next_sequence += static_cast<std::int32_t>(batch.callbacks.size());
  reset(lane);
  MILLRACE_CHECK(send_again());
  return dispatch(std::move(batch));
}

Result<void> Producer::dispatch(Batch batch) {
  MILLRACE_TRY(Connection* const to, cluster_.leader_of(topic_, batch.partition));
  auto& flight = under_way_[to];
  while (flight.batches.size() >= options_.most_in_flight) MILLRACE_CHECK(receive_one(*to));
  ProduceRequest request;
  if (!options_.transactional_id.empty()) request.transactional_id = options_.transactional_id;
  request.acks = options_.acks;
  request.timeout_ms = static_cast<std::int32_t>(options_.request_timeout.count());
  request.topic_data.push_back(
      {.name = topic_.name.value_or(""),
       .partition_data = {{.index = batch.partition, .records = Bytes(batch.bytes)}}});
  ++batch.attempts;
  if (options_.acks == 0) {
    MILLRACE_CHECK(to->send_only(request));
    finish(batch, Offset{-1});
    return {};
  }
  MILLRACE_CHECK(to->send(request));
  flight.batches.push_back(std::move(batch));
  return {};
}

void Producer::finish(Batch& batch, const Result<Offset>& outcome) {
  std::int64_t index = 0;
  for (const Callback& callback : batch.callbacks) {
    if (callback && !outcome) callback(outcome);
    if (callback && outcome) callback(*outcome < Offset{0} ? *outcome : *outcome + index);
    ++index;
  }
}

Result<void> Producer::receive_one(Connection& from) {
  auto& flight = under_way_[&from].batches;
  MILLRACE_TRY(const auto response, from.receive<ProduceResponse>());
  Batch batch = std::move(flight.front());
  flight.pop_front();
  if (response.responses.size() != 1 || response.responses[0].partition_responses.size() != 1) {
    return Error(Errc::corrupt_data, fmt::format("{} answered for other partitions than it was "
                                                 "sent records for",
                                                 from.address()));
  }
  const auto& answer = response.responses[0].partition_responses[0];
  const WireError error = answer.error_code;
  if (error == WireError::none || error == WireError::duplicate_sequence_number) {
    finish(batch, Offset{answer.base_offset});
  } else if (is_passing(error) && batch.attempts < options_.most_attempts) {
    to_send_again_.push_back(std::move(batch));
  } else {
    failure_ = refused("appending", error, answer.error_message)
                   .at(topic_.name.value_or(""), batch.partition);
    finish(batch, *failure_);
  }
  return {};
}

Result<void> Producer::drain() {
  for (auto& [connection, flight] : under_way_) {
    while (!flight.batches.empty()) MILLRACE_CHECK(receive_one(*connection));
  }
  return {};
}

/// What was refused for now goes out before anything newer, so that the order stays.
Result<void> Producer::send_again() {
  while (!to_send_again_.empty()) {
    MILLRACE_CHECK(drain());
    std::this_thread::sleep_for(pause_before_next_attempt);
    MILLRACE_TRY(topic_, cluster_.topic(topic_.name.value_or("")));
    auto batches = std::exchange(to_send_again_, {});
    for (Batch& batch : batches) MILLRACE_CHECK(dispatch(std::move(batch)));
    MILLRACE_CHECK(drain());
  }
  return {};
}

Result<void> Producer::flush() {
  for (auto& [partition, lane] : lanes_) MILLRACE_CHECK(send_lane(partition, lane));
  MILLRACE_CHECK(drain());
  MILLRACE_CHECK(send_again());
  if (auto failure = std::exchange(failure_, std::nullopt)) return *std::move(failure);
  return {};
}

}  // namespace millrace::inline v0::client
