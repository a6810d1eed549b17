#include <fmt/format.h>

#include <millrace/engine/topic_name.hpp>
#include <millrace/protocol/message_conversion.hpp>
#include <millrace/protocol/messages/produce.hpp>

#include "server/kafka/batch_check.hpp"
#include "server/kafka/handlers.hpp"
#include "server/kafka/server_state.hpp"
#include "server/kafka/transaction_check.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;

/// A produce request of which some partitions are not acknowledged yet. Responds with the last one.
class PendingProduce {
 public:
  PendingProduce(Request request, ProduceResponse response, std::size_t open)
      : request_(std::move(request)), response_(std::move(response)), open_(open) {}

  ProduceResponse& response() noexcept { return response_; }
  void end_one() {
    if (open_.fetch_sub(1) == 1) request_.respond(response_);
  }

 private:
  Request request_;
  ProduceResponse response_;
  std::atomic<std::size_t> open_;
};

/// Of a partition in the response.
struct Place {
  std::size_t topic;
  std::size_t partition;
};

struct Unacknowledged {
  engine::PartitionPtr partition;
  Offset end;
  Place place;
};

void set_error(ProduceResponse::Partition& answer, const Error& error) {
  answer.error_code = to_wire(error.code());
  answer.error_message = error.message();
  answer.base_offset = -1;
}

/// Appends batches of magic 2, one after the other; where the first went.
Result<storage::Appended> append_batches(engine::Partition& partition, MutableBytes batches) {
  std::optional<storage::Appended> first;
  const bool needs_keys = partition.log().requires_keys();
  do {
    auto checked = check_batch(batches, needs_keys);
    if (!checked) return checked.error().at(partition.topic(), partition.id());
    auto appended = partition.append(batches.first(*checked));
    if (!appended) return appended;
    if (!first) first = *appended;
    first->next_offset = appended->next_offset;
    batches = batches.subspan(*checked);
  } while (!batches.empty());
  return *first;
}

Result<storage::Appended> append_records(engine::Partition& partition, MutableBytes records) {
  constexpr std::size_t magic_at = 16;
  const bool is_old = records.size() > magic_at && std::to_integer<int>(records[magic_at]) < 2;
  if (!is_old) return append_batches(partition, records);
  auto batches = up_convert(records);
  if (!batches) return batches.error().at(partition.topic(), partition.id());
  return append_batches(partition, *batches);
}

class Production {
 public:
  Production(Request& request, const ProduceRequest& message)
      : request_(request), message_(message) {}

  ProduceResponse append_all() {
    ProduceResponse response;
    for (std::size_t i = 0; i < message_.topic_data.size(); ++i) {
      const auto& topic = message_.topic_data[i];
      auto& answers = response.responses.emplace_back();
      answers.name = topic.name;
      for (const auto& partition : topic.partition_data) {
        const Place place{i, answers.partition_responses.size()};
        append(topic.name, partition, place, answers.partition_responses.emplace_back());
      }
    }
    return response;
  }
  std::vector<Unacknowledged>& unacknowledged() noexcept { return unacknowledged_; }
  bool has_failed() const noexcept { return has_failed_; }

 private:
  void append(const std::string& topic, const ProduceRequest::Partition& from, const Place& place,
              ProduceResponse::Partition& answer) {
    answer.index = from.index;
    if (engine::is_internal_topic(topic)) {
      return fail(answer,
                  Error(Errc::invalid_topic,
                        fmt::format("{} is the coordinators' own: only they write there", topic)));
    }
    if (!request_.may_topic(Operation::write, topic)) {
      has_failed_ = true;
      answer.error_code = WireError::topic_authorization_failed;
      answer.base_offset = -1;
      return;
    }
    const auto partition = request_.state().partition(topic, from.index);
    if (!partition) return fail(answer, partition.error());
    const MutableBytes records = bytes_of(from.records);
    const HeldTransactions held = hold(**partition, records);
    if (held.error != WireError::none) return fail(answer, held);
    const auto appended = append_records(**partition, records);
    answer.log_start_offset = (*partition)->log_start_offset().value();
    if (!appended) return fail(answer, appended.error());
    answer.base_offset = appended->base_offset.value();
    answer.log_append_time_ms = appended->append_time.milliseconds();
    if (!(*partition)->flushes_before_ack()) return;
    unacknowledged_.push_back({*partition, appended->next_offset, place});
  }
  void fail(ProduceResponse::Partition& answer, const Error& error) {
    has_failed_ = true;
    set_error(answer, error);
  }
  void fail(ProduceResponse::Partition& answer, const HeldTransactions& why) {
    has_failed_ = true;
    answer.error_code = why.error;
    answer.error_message = why.why;
    answer.base_offset = -1;
  }
  HeldTransactions hold(const engine::Partition& partition, Bytes records) const {
    constexpr ApiVersion first_with_abortable = 11;
    if (!message_.transactional_id) return {};
    return TransactionCheck{request_.state(), *message_.transactional_id,
                            request_.version() >= first_with_abortable}
        .hold(partition, records);
  }
  MutableBytes bytes_of(const std::optional<Bytes>& records) const {
    if (!records) return {};
    const MutableBytes body = request_.body();
    return body.subspan(static_cast<std::size_t>(records->data() - body.data()), records->size());
  }

  Request& request_;
  const ProduceRequest& message_;
  std::vector<Unacknowledged> unacknowledged_;
  bool has_failed_ = false;
};

void answer_refused(Request request, const ProduceRequest& message, WireError error) {
  ProduceResponse response;
  for (const auto& topic : message.topic_data) {
    auto& answers = response.responses.emplace_back();
    answers.name = topic.name;
    for (const auto& partition : topic.partition_data) {
      auto& answer = answers.partition_responses.emplace_back();
      answer.index = partition.index;
      answer.error_code = error;
      answer.base_offset = -1;
    }
  }
  request.respond(response);
}

/// Part of a transaction, of which it does not say the id.
bool is_anonymous(const ProduceRequest& message) {
  if (message.transactional_id) return false;
  for (const auto& topic : message.topic_data) {
    for (const auto& partition : topic.partition_data) {
      if (partition.records && has_transactional(*partition.records)) return true;
    }
  }
  return false;
}

/// Of a transaction that is its own.
bool may_write(const ProduceRequest& message, const Request& request) {
  const auto& id = message.transactional_id;
  return id ? request.may_transactional_id(Operation::write, *id) : !is_anonymous(message);
}

}  // namespace

void produce(Request request) {
  const auto message = request.read<ProduceRequest>();
  if (!message) return request.refuse(message.error());
  if (message->acks < -1 || message->acks > 1) {
    return answer_refused(std::move(request), *message, WireError::invalid_required_acks);
  }
  if (!may_write(*message, request)) {
    if (message->acks == 0) {
      return request.refuse(Error(Errc::invalid_record, "its transaction is not its to write"));
    }
    return answer_refused(std::move(request), *message,
                          WireError::transactional_id_authorization_failed);
  }
  Production production(request, *message);
  ProduceResponse response = production.append_all();
  response.throttle_time_ms = request.charge(Quotas::Direction::producer, request.body().size());
  if (message->acks == 0) {
    // As in Kafka, for there is no other way to tell.
    if (production.has_failed()) {
      return request.refuse(Error(Errc::invalid_record, "records without acks were refused"));
    }
    // Nobody waits for it, but readers see nothing that is not flushed.
    for (const Unacknowledged& each : production.unacknowledged()) {
      request.state().ack_queue(each.partition)->wait(each.end, [](const Result<bool>&) {});
    }
    return request.respond_with_nothing();
  }
  if (production.unacknowledged().empty()) return request.respond(response);
  ServerState& state = request.state();
  const auto pending = std::make_shared<PendingProduce>(std::move(request), std::move(response),
                                                        production.unacknowledged().size());
  for (const Unacknowledged& each : production.unacknowledged()) {
    auto* answer =
        &pending->response().responses[each.place.topic].partition_responses[each.place.partition];
    state.ack_queue(each.partition)->wait(each.end, [pending, answer](const Result<bool>& done) {
      if (!done) set_error(*answer, done.error());
      pending->end_one();
    });
  }
}

}  // namespace millrace::inline v0::server
