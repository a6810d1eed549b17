#include <millrace/client/errors.hpp>
#include <millrace/client/owner_link.hpp>
#include <millrace/protocol/messages/init_producer_id.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <millrace/record/batch_view.hpp>

namespace millrace::inline v0::client {

using namespace protocol;

namespace {

bool is_broken(const Result<void>& done) {
  return !done &&
         (done.error().code() == Errc::io_error || done.error().code() == Errc::corrupt_data);
}

}  // namespace

Result<void> OwnerLink::connect() {
  {
    const std::lock_guard lock(interrupt_mutex_);
    if (is_interrupted_) return Error(Errc::closed, "interrupted while the owner was asked");
  }
  const ConnectionOptions options{.client_id = "millrace-attached"};
  auto connection = Connection::open("unix:" + socket_path_, options);
  if (!connection) {
    return Error(Errc::read_only,
                 "this process is attached, so the owner of the directory has to do it, and nobody "
                 "answers at " +
                     socket_path_ +
                     ": the owner lets others in by Broker::listen() or millrace "
                     "serve (" +
                     connection.error().message() + ")");
  }
  (*connection)->set_timeout(timeout_);
  use(*std::move(connection));
  return {};
}

void OwnerLink::use(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(interrupt_mutex_);
  connection_ = std::move(connection);
  if (is_interrupted_ && connection_) connection_->interrupt();
}

void OwnerLink::interrupt() {
  const std::lock_guard lock(interrupt_mutex_);
  is_interrupted_ = true;
  if (connection_) connection_->interrupt();
}

Result<void> OwnerLink::with_owner(const Call& call, bool may_repeat) {
  const std::lock_guard lock(mutex_);
  const bool was_open = connection_ != nullptr;
  if (!was_open) MILLRACE_CHECK(connect());
  auto done = call(*connection_);
  if (!is_broken(done)) return done;
  use(nullptr);
  if (!was_open || !may_repeat) return done;
  if (const auto again = connect(); !again) {
    return Error(done.error().code(), done.error().message() +
                                          "; whether it was done is not known. Asking again: " +
                                          again.error().message());
  }
  done = call(*connection_);
  if (is_broken(done)) use(nullptr);
  return done;
}

Result<OwnerLink::Appended> OwnerLink::append(const TopicPartition& partition, Bytes batch) {
  ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = static_cast<std::int32_t>(timeout_.count());
  request.topic_data.push_back(
      {.name = partition.topic,
       .partition_data = {{.index = partition.partition, .records = batch}}});
  Appended appended;
  const auto send = [&](Connection& owner) -> Result<void> {
    MILLRACE_TRY(const auto response, owner.call<ProduceResponse>(request));
    if (response.responses.size() != 1 || response.responses[0].partition_responses.size() != 1) {
      return Error(Errc::corrupt_data, "the owner answered for another partition");
    }
    const auto& answer = response.responses[0].partition_responses[0];
    const bool is_there = answer.error_code == WireError::duplicate_sequence_number;
    if (!is_there) {
      if (const auto done = check("appending", answer.error_code, answer.error_message); !done) {
        return done.error().at(partition.topic, partition.partition);
      }
    }
    appended = {Offset{answer.base_offset}, Timestamp{answer.log_append_time_ms}};
    return {};
  };
  MILLRACE_CHECK(with_owner(send, record::BatchView::try_parse(batch).producer().id >= 0));
  return appended;
}

Result<record::ProducerIdentity> OwnerLink::take_producer_id() {
  InitProducerIdRequest request;
  request.transactional_id.reset();
  record::ProducerIdentity identity;
  const auto ask = [&](Connection& owner) -> Result<void> {
    MILLRACE_TRY(const auto response, owner.call<InitProducerIdResponse>(request));
    identity = {response.producer_id, response.producer_epoch, 0};
    return check("asking for a producer id", response.error_code);
  };
  MILLRACE_CHECK(with_owner(ask));
  return identity;
}

}  // namespace millrace::inline v0::client
