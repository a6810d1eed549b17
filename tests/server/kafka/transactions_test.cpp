#include <millrace/core/clock.hpp>
#include <millrace/protocol/messages/add_offsets_to_txn.hpp>
#include <millrace/protocol/messages/add_partitions_to_txn.hpp>
#include <millrace/protocol/messages/describe_producers.hpp>
#include <millrace/protocol/messages/describe_transactions.hpp>
#include <millrace/protocol/messages/end_txn.hpp>
#include <millrace/protocol/messages/fetch.hpp>
#include <millrace/protocol/messages/init_producer_id.hpp>
#include <millrace/protocol/messages/list_transactions.hpp>
#include <millrace/protocol/messages/offset_fetch.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <millrace/protocol/messages/txn_offset_commit.hpp>
#include <millrace/protocol/messages/write_txn_markers.hpp>
#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>

#include "catch.hpp"
#include "wire_client.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace_test::WireClient;

namespace {

struct ProducerId {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::string name = "billing";
};

template <typename Request>
Request from(const ProducerId& producer) {
  Request request;
  request.transactional_id = producer.name;
  request.producer_id = producer.id;
  request.producer_epoch = producer.epoch;
  return request;
}

/// A broker with topics "orders" and "bills", and a client that speaks of transactions.
struct Served {
  Served() {
    for (const char* topic : {"orders", "bills"}) broker.create_topic(topic).value();
  }
  static ListenOptions options() {
    ListenOptions to;
    to.port = 0;
    return to;
  }

  InitProducerIdResponse init(const InitProducerIdRequest& request, ApiVersion version = 4) {
    return client.call<InitProducerIdResponse>(request, version);
  }
  ProducerId open(const std::string& name = "billing") {
    InitProducerIdRequest request;
    request.transactional_id = name;
    request.transaction_timeout_ms = 60'000;
    const auto answer = init(request);
    REQUIRE(answer.error_code == WireError::none);
    return {answer.producer_id, answer.producer_epoch, name};
  }
  WireError add(const ProducerId& producer, const std::string& topic, ApiVersion version = 3) {
    auto request = from<AddPartitionsToTxnRequest>(producer);
    request.topics.push_back({topic, {0}});
    const auto answer = client.call<AddPartitionsToTxnResponse>(request, version);
    return answer.results.at(0).results_by_partition.at(0).partition_error_code;
  }
  WireError add_offsets(const ProducerId& producer, ApiVersion version = 3) {
    auto request = from<AddOffsetsToTxnRequest>(producer);
    request.group_id = "team";
    return client.call<AddOffsetsToTxnResponse>(request, version).error_code;
  }
  WireError commit_offset(const ProducerId& producer, std::int64_t offset) {
    auto request = from<TxnOffsetCommitRequest>(producer);
    request.group_id = "team";
    request.topics.push_back(
        {.name = "orders", .partitions = {{.partition_index = 0, .committed_offset = offset}}});
    return client.call<TxnOffsetCommitResponse>(request, 3)
        .topics.at(0)
        .partitions.at(0)
        .error_code;
  }
  OffsetFetchResponse::Partition committed(bool requires_stable = false) {
    OffsetFetchRequest request;
    request.group_id = "team";
    request.topics.emplace();
    request.topics->push_back({.name = "orders", .partition_indexes = {0}});
    request.require_stable = requires_stable;
    return client.call<OffsetFetchResponse>(request, 7).topics.at(0).partitions.at(0);
  }
  WireError end(const ProducerId& producer, bool is_commit, ApiVersion version = 3) {
    auto request = from<EndTxnRequest>(producer);
    request.committed = is_commit;
    return client.call<EndTxnResponse>(request, version).error_code;
  }
  WireError send(const ProducerId& producer, const std::string& topic, std::int32_t sequence,
                 ApiVersion version = 9) {
    record::BatchBuilder builder(
        {.transactional = true, .producer = {producer.id, producer.epoch, sequence}});
    // Of today: the marker behind it is to stand in the same segment.
    builder.add(system_clock().now(), std::nullopt, as_bytes("value")).value();
    ProduceRequest request;
    if (!producer.name.empty()) request.transactional_id = producer.name;
    request.acks = -1;
    request.timeout_ms = 1000;
    const Bytes batch = builder.finish().value();
    request.topic_data.push_back(
        {.name = topic, .partition_data = {{.index = 0, .records = batch}}});
    const auto answer = client.call<ProduceResponse>(request, version);
    return answer.responses.at(0).partition_responses.at(0).error_code;
  }
  FetchResponse::Partition fetch(const std::string& topic, bool is_committed_only) {
    FetchRequest request;
    request.max_wait_ms = 0;
    request.isolation_level = is_committed_only ? 1 : 0;
    request.topics.push_back(
        {.topic = topic, .partitions = {{.fetch_offset = 0, .partition_max_bytes = 1 << 20}}});
    return client.call<FetchResponse>(request, 11).responses.at(0).partitions.at(0);
  }
  DescribeTransactionsResponse::Transaction describe(const std::string& id) {
    DescribeTransactionsRequest request;
    request.transactional_ids = {id};
    return client.call<DescribeTransactionsResponse>(request, 0).transaction_states.at(0);
  }

  Broker broker = Broker::open(":memory:").value();
  Listener listener = broker.listen(options()).value();
  WireClient client{listener};
};

std::size_t batches_in(const FetchResponse::Partition& fetched) {
  std::size_t count = 0;
  for (Bytes left = fetched.records.value(); !left.empty(); ++count) {
    left = left.subspan(record::BatchView::parse(left).value().size());
  }
  return count;
}

}  // namespace

TEST_CASE("a producer is opened with a name and a time-out that make sense") {
  Served served;
  InitProducerIdRequest request;
  request.transactional_id = "billing";
  request.transaction_timeout_ms = 60'000;
  SECTION("an empty name") {
    request.transactional_id = "";
    CHECK(served.init(request).error_code == WireError::invalid_request);
  }
  SECTION("half a producer") {
    request.producer_id = 5;
    CHECK(served.init(request).error_code == WireError::invalid_request);
  }
  SECTION("a time-out that is too long, or none") {
    request.transaction_timeout_ms = 900'001;
    CHECK(served.init(request).error_code == WireError::invalid_transaction_timeout);
    request.transaction_timeout_ms = 0;
    CHECK(served.init(request).error_code == WireError::invalid_transaction_timeout);
  }
  SECTION("no name at all: no transactions") {
    request.transactional_id.reset();
    const auto answer = served.init(request);
    CHECK(answer.error_code == WireError::none);
    CHECK(answer.producer_epoch == 0);
  }
  SECTION("a producer that is not the last one") {
    const auto first = served.open();
    const auto second = served.open();
    CHECK(second.id == first.id);
    CHECK(second.epoch == first.epoch + 1);
    request.producer_id = first.id;
    request.producer_epoch = first.epoch;
    CHECK(served.init(request, 3).error_code == WireError::invalid_producer_epoch);
    const auto answer = served.init(request, 4);
    CHECK(answer.error_code == WireError::producer_fenced);
    CHECK(answer.producer_id == -1);
    CHECK(answer.producer_epoch == -1);
  }
}

TEST_CASE("records of a transaction are seen by readers of committed records at its end") {
  Served served;
  const auto producer = served.open();
  REQUIRE(served.add(producer, "orders") == WireError::none);
  REQUIRE(served.add(producer, "bills") == WireError::none);
  REQUIRE(served.send(producer, "orders", 0) == WireError::none);
  REQUIRE(served.send(producer, "bills", 0) == WireError::none);
  const auto open = served.fetch("orders", true);
  CHECK(open.records.value().empty());
  CHECK(open.last_stable_offset == 0);
  CHECK(open.high_watermark == 1);
  CHECK(batches_in(served.fetch("orders", false)) == 1);

  const bool is_commit = GENERATE(true, false);
  CHECK(served.end(producer, is_commit) == WireError::none);
  for (const char* topic : {"orders", "bills"}) {
    const auto ended = served.fetch(topic, true);
    CHECK(batches_in(ended) == 2);
    CHECK(ended.last_stable_offset == 2);
    const auto aborted = ended.aborted_transactions.value();
    REQUIRE(aborted.size() == (is_commit ? 0U : 1U));
    if (!is_commit) CHECK(aborted[0].producer_id == producer.id);
    if (!is_commit) CHECK(aborted[0].first_offset == 0);
    CHECK_FALSE(served.fetch(topic, false).aborted_transactions);
  }
  // The same once more is no error, the other way is.
  CHECK(served.end(producer, is_commit) == WireError::none);
  CHECK(served.end(producer, !is_commit) == WireError::invalid_txn_state);
}

TEST_CASE("records go to partitions that were added to the transaction, and to no others") {
  Served served;
  const auto producer = served.open();
  REQUIRE(served.add(producer, "orders") == WireError::none);
  CHECK(served.send(producer, "bills", 0) == WireError::invalid_txn_state);
  CHECK(served.send(producer, "bills", 0, 11) == WireError::transaction_abortable);
  CHECK(served.send(producer, "orders", 0) == WireError::none);
  CHECK(served.send(producer, "orders", 1) == WireError::none);
  REQUIRE(served.end(producer, true) == WireError::none);
  // Late, it would never be ended.
  CHECK(served.send(producer, "orders", 2) == WireError::invalid_txn_state);
  CHECK(served.fetch("orders", true).last_stable_offset == 3);
  CHECK(served.fetch("bills", true).high_watermark == 0);

  auto other = producer;
  other.name.clear();
  CHECK(served.send(other, "orders", 2) == WireError::transactional_id_authorization_failed);
  other.name = "unheard of";
  CHECK(served.send(other, "orders", 2) == WireError::invalid_producer_id_mapping);
}

TEST_CASE("partitions are added all or none") {
  Served served;
  const auto producer = served.open();
  auto request = from<AddPartitionsToTxnRequest>(producer);
  request.topics = {{"orders", {0}}, {"bills", {0, 7}}};
  const auto answer = served.client.call<AddPartitionsToTxnResponse>(request, 3);
  const auto& bills = answer.results.at(1).results_by_partition;
  CHECK(answer.results.at(0).results_by_partition.at(0).partition_error_code ==
        WireError::operation_not_attempted);
  CHECK(bills.at(0).partition_error_code == WireError::operation_not_attempted);
  CHECK(bills.at(1).partition_error_code == WireError::unknown_topic_or_partition);
  CHECK(served.describe("billing").transaction_state == "Empty");
}

TEST_CASE("an instance is fenced by the next one of its name, which aborts what it had begun") {
  Served served;
  const auto old = served.open();
  REQUIRE(served.add(old, "orders") == WireError::none);
  REQUIRE(served.send(old, "orders", 0) == WireError::none);
  const auto young = served.open();
  CHECK(young.id == old.id);
  CHECK(young.epoch > old.epoch);
  CHECK(served.fetch("orders", true).aborted_transactions.value().size() == 1);

  CHECK(served.add(old, "orders", 3) == WireError::producer_fenced);
  CHECK(served.add(old, "orders", 1) == WireError::invalid_producer_epoch);
  CHECK(served.add_offsets(old, 3) == WireError::producer_fenced);
  CHECK(served.add_offsets(old, 1) == WireError::invalid_producer_epoch);
  CHECK(served.end(old, true, 3) == WireError::producer_fenced);
  CHECK(served.end(old, true, 1) == WireError::invalid_producer_epoch);
  CHECK(served.send(old, "orders", 1) == WireError::invalid_producer_epoch);
  CHECK(served.add(young, "orders") == WireError::none);
  CHECK(served.send(young, "orders", 0) == WireError::none);
  CHECK(served.end(young, true) == WireError::none);

  auto stranger = young;
  stranger.id += 1000;
  CHECK(served.end(stranger, true) == WireError::invalid_producer_id_mapping);
  stranger.name = "unheard of";
  CHECK(served.add(stranger, "orders") == WireError::invalid_producer_id_mapping);
  stranger.name = "";
  CHECK(served.add(stranger, "orders") == WireError::invalid_request);
}

TEST_CASE("offsets that are sent to a transaction are committed with it") {
  Served served;
  const auto producer = served.open();
  CHECK(served.commit_offset(producer, 17) == WireError::invalid_txn_state);
  REQUIRE(served.add_offsets(producer) == WireError::none);
  REQUIRE(served.commit_offset(producer, 17) == WireError::none);
  CHECK(served.committed().committed_offset == -1);
  CHECK(served.committed(true).error_code == WireError::unstable_offset_commit);
  SECTION("committed") {
    REQUIRE(served.end(producer, true) == WireError::none);
    CHECK(served.committed(true).committed_offset == 17);
  }
  SECTION("aborted") {
    REQUIRE(served.end(producer, false) == WireError::none);
    CHECK(served.committed(true).error_code == WireError::none);
    CHECK(served.committed(true).committed_offset == -1);
  }
}

TEST_CASE("offsets in a transaction are refused where others would be") {
  Served served;
  const auto producer = served.open();
  REQUIRE(served.add_offsets(producer) == WireError::none);
  auto request = from<TxnOffsetCommitRequest>(producer);
  request.group_id = "team";
  request.topics = {{.name = "orders", .partitions = {{.partition_index = 0}}},
                    {.name = "nowhere", .partitions = {{.partition_index = 0}}}};
  const auto error_of = [&](std::size_t topic) {
    const auto answer = served.client.call<TxnOffsetCommitResponse>(request, 3);
    return answer.topics.at(topic).partitions.at(0).error_code;
  };
  CHECK(error_of(0) == WireError::none);
  CHECK(error_of(1) == WireError::unknown_topic_or_partition);
  SECTION("a member that the group does not have") {
    request.member_id = "nobody";
    request.generation_id = 3;
    CHECK(error_of(0) == WireError::unknown_member_id);
  }
  SECTION("no group") {
    request.group_id = "";
    CHECK(error_of(0) == WireError::invalid_group_id);
  }
  SECTION("more metadata than there is room for") {
    request.topics[0].partitions[0].committed_metadata = std::string(4097, 'm');
    CHECK(error_of(0) == WireError::offset_metadata_too_large);
  }
}

TEST_CASE("transactions are listed and described") {
  Served served;
  const auto producer = served.open();
  const auto idle = served.open("idle");
  REQUIRE(served.add(producer, "orders") == WireError::none);
  const auto listed = [&](const ListTransactionsRequest& request) {
    std::vector<std::string> ids;
    const auto answer = served.client.call<ListTransactionsResponse>(request, 1);
    for (const auto& one : answer.transaction_states) ids.push_back(one.transactional_id);
    return ids;
  };
  using Ids = std::vector<std::string>;
  ListTransactionsRequest request;
  CHECK(listed(request) == Ids{"billing", "idle"});
  request.state_filters = {"Ongoing", "Dreaming"};
  CHECK(listed(request) == Ids{"billing"});
  CHECK(served.client.call<ListTransactionsResponse>(request, 1).unknown_state_filters ==
        Ids{"Dreaming"});
  request.state_filters.clear();
  request.producer_id_filters = {idle.id};
  CHECK(listed(request) == Ids{"idle"});
  request.producer_id_filters = {producer.id};
  request.duration_filter = 3'600'000;
  CHECK(listed(request).empty());

  const auto known = served.describe("billing");
  CHECK(known.error_code == WireError::none);
  CHECK(known.transaction_state == "Ongoing");
  CHECK(known.transaction_timeout_ms == 60'000);
  CHECK(known.producer_id == producer.id);
  CHECK(known.producer_epoch == producer.epoch);
  CHECK(known.transaction_start_time_ms > 0);
  REQUIRE(known.topics.size() == 1);
  CHECK(known.topics[0].topic == "orders");
  CHECK(known.topics[0].partitions == std::vector<std::int32_t>{0});
  CHECK(served.describe("unheard of").error_code == WireError::transactional_id_not_found);
}

TEST_CASE("markers that a tool sends end what is open in a partition") {
  Served served;
  const auto producer = served.open();
  REQUIRE(served.add(producer, "orders") == WireError::none);
  REQUIRE(served.send(producer, "orders", 0) == WireError::none);
  WriteTxnMarkersRequest request;
  request.markers.push_back({.producer_id = producer.id,
                             .producer_epoch = producer.epoch,
                             .transaction_result = false,
                             .topics = {{"orders", {0}}, {"nowhere", {0}}}});
  const auto answer = served.client.call<WriteTxnMarkersResponse>(request, 1);
  const auto& topics = answer.markers.at(0).topics;
  CHECK(topics.at(0).partitions.at(0).error_code == WireError::none);
  CHECK(topics.at(1).partitions.at(0).error_code == WireError::unknown_topic_or_partition);
  const auto fetched = served.fetch("orders", true);
  CHECK(fetched.last_stable_offset == 2);
  CHECK(fetched.aborted_transactions.value().size() == 1);
}

TEST_CASE("a partition tells who writes to it, and whose transaction is open") {
  Served served;
  const ProducerId producer = served.open();
  REQUIRE(served.add(producer, "orders") == WireError::none);
  REQUIRE(served.send(producer, "orders", 0) == WireError::none);
  DescribeProducersRequest request;
  request.topics = {{"orders", {0, 1}}, {"bills", {0}}, {"none", {0}}};
  const auto ask = [&] { return served.client.call<DescribeProducersResponse>(request, 0); };

  const auto open = ask();
  const auto& of_orders = open.topics.at(0).partitions.at(0);
  REQUIRE(of_orders.error_code == WireError::none);
  REQUIRE(of_orders.active_producers.size() == 1);
  CHECK(of_orders.active_producers[0].producer_id == producer.id);
  CHECK(of_orders.active_producers[0].producer_epoch == producer.epoch);
  CHECK(of_orders.active_producers[0].last_sequence == 0);
  CHECK(of_orders.active_producers[0].last_timestamp > 0);
  CHECK(of_orders.active_producers[0].current_txn_start_offset == 0);
  CHECK(open.topics.at(0).partitions.at(1).error_code == WireError::unknown_topic_or_partition);
  CHECK(open.topics.at(1).partitions.at(0).active_producers.empty());
  CHECK(open.topics.at(2).partitions.at(0).error_code == WireError::unknown_topic_or_partition);
  CHECK(open.topics.at(2).partitions.at(0).error_message.has_value());

  REQUIRE(served.end(producer, true) == WireError::none);
  CHECK(ask().topics.at(0).partitions.at(0).active_producers.at(0).current_txn_start_offset == -1);
}
