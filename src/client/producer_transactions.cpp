#include <fmt/format.h>

#include <millrace/client/errors.hpp>
#include <millrace/client/patience.hpp>
#include <millrace/client/producer.hpp>
#include <millrace/protocol/messages/add_partitions_to_txn.hpp>
#include <millrace/protocol/messages/end_txn.hpp>

namespace millrace::inline v0::client {

using namespace protocol;

namespace {

constexpr std::chrono::milliseconds pause_before_next_attempt(20);

}  // namespace

Result<void> Producer::begin_transaction() {
  if (options_.transactional_id.empty() || is_in_transaction_) {
    return Error(Errc::invalid_transaction_state,
                 is_in_transaction_ ? "the transaction before is not ended yet"
                                    : "the producer was opened without a transactional id");
  }
  is_in_transaction_ = true;
  for (auto& [partition, lane] : lanes_) lane.is_in_transaction = false;
  return {};
}

Result<void> Producer::add_to_transaction(std::int32_t partition, Lane& lane) {
  if (options_.transactional_id.empty() || lane.is_in_transaction) return {};
  constexpr ApiVersion last_of_clients = 3;
  const std::string doing =
      fmt::format("adding {}-{} to the transaction of {}", topic_.name.value_or(""), partition,
                  options_.transactional_id);
  AddPartitionsToTxnRequest request{.transactional_id = options_.transactional_id,
                                    .producer_id = identity_.id,
                                    .producer_epoch = identity_.epoch};
  request.topics.push_back({topic_.name.value_or(""), {partition}});
  // Whoever is asked may be asked over a connection on which answers to records are still due.
  MILLRACE_CHECK(drain());
  MILLRACE_TRY(Connection* const to, cluster_.coordinator(Cluster::CoordinatorOf::transaction,
                                                          options_.transactional_id));
  const auto ask = [&]() -> Result<WireError> {
    MILLRACE_TRY(const auto response,
                 to->call<AddPartitionsToTxnResponse>(request, last_of_clients));
    if (response.results.size() != 1 || response.results[0].results_by_partition.size() != 1) {
      return Error(Errc::corrupt_data, doing + ": the answer is about other partitions");
    }
    return response.results[0].results_by_partition[0].partition_error_code;
  };
  MILLRACE_TRY(const WireError error,
               ask_patiently({options_.most_attempts, pause_before_next_attempt}, ask,
                             [](WireError code) { return code; }));
  lane.is_in_transaction = error == WireError::none;
  return check(doing, error);
}

Result<void> Producer::end_transaction(bool commit) {
  const Result<void> flushed = flush();
  is_in_transaction_ = false;
  bool has_records = false;
  for (auto& [partition, lane] : lanes_) {
    has_records |= std::exchange(lane.is_in_transaction, false);
  }
  if (!has_records) return flushed;
  const EndTxnRequest request{.transactional_id = options_.transactional_id,
                              .producer_id = identity_.id,
                              .producer_epoch = identity_.epoch,
                              .committed = commit && flushed.has_value()};
  MILLRACE_TRY(Connection* const to, cluster_.coordinator(Cluster::CoordinatorOf::transaction,
                                                          options_.transactional_id));
  MILLRACE_TRY(const auto response,
               ask_patiently({options_.most_attempts, pause_before_next_attempt},
                             [&] { return to->call<EndTxnResponse>(request); }));
  MILLRACE_CHECK(flushed);
  return check(fmt::format("{} the transaction of {}", commit ? "committing" : "aborting",
                           options_.transactional_id),
               response.error_code);
}

}  // namespace millrace::inline v0::client
