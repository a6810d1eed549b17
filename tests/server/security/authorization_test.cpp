#include <array>
#include <fstream>
#include <millrace/engine/broker_core.hpp>
#include <millrace/protocol/messages/alter_partition_reassignments.hpp>
#include <millrace/protocol/messages/alter_replica_log_dirs.hpp>
#include <millrace/protocol/messages/describe_groups.hpp>
#include <millrace/protocol/messages/describe_producers.hpp>
#include <millrace/protocol/messages/fetch.hpp>
#include <millrace/protocol/messages/join_group.hpp>
#include <millrace/protocol/messages/offset_delete.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <millrace/protocol/messages/sync_group.hpp>
#include <millrace/record/batch_builder.hpp>
#include <set>

#include "catch.hpp"
#include "secured.hpp"
#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/authentication.hpp"
#include "server/kafka/handlers.hpp"
#include "server/kafka/server_state.hpp"
#include "server/kafka/transaction_handlers.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace millrace::protocol;
using namespace millrace_test;
using Catch::Contains;
using server::Operation;
using server::ResourceType;

namespace {

constexpr int of_topic = 29;
constexpr int of_group = 30;
constexpr int of_cluster = 31;
constexpr int of_transactional_id = 53;

std::string_view word_of(Operation operation) {
  constexpr std::array words = {"all",
                                "read",
                                "write",
                                "create",
                                "delete",
                                "alter",
                                "describe",
                                "cluster-action",
                                "describe-configs",
                                "alter-configs",
                                "idempotent-write"};
  return words[static_cast<std::size_t>(operation) - 2];
}

std::string_view word_of(ResourceType type) {
  constexpr std::array words = {"topic", "group", "cluster", "transactional-id"};
  return words[static_cast<std::size_t>(type) - 2];
}

std::vector<std::byte> batch_of(std::string_view value) {
  record::BatchBuilder builder;
  builder.add(Timestamp{1000}, std::nullopt, as_bytes(value)).value();
  const auto bytes = builder.finish().value();
  return {bytes.begin(), bytes.end()};
}

/// Denies everything, and remembers what it was asked.
class Strict {
 public:
  ListenOptions options() {
    ListenOptions options;
    options.authorizer = [this](const AccessRequest& wanted) {
      const std::lock_guard lock(mutex_);
      asked_.insert(fmt::format("{} {} {}", word_of(wanted.operation),
                                word_of(wanted.resource_type), wanted.resource_name));
      who_.insert(fmt::format("{} {}", wanted.principal, wanted.host));
      return false;
    };
    return options;
  }
  std::set<std::string> take_asked() {
    const std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }
  std::set<std::string> who() {
    const std::lock_guard lock(mutex_);
    return who_;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> asked_;
  std::set<std::string> who_;
};

/// Asks each API for something that is there, of a broker that denies everything.
class Denied {
 public:
  Denied() : secured(strict.options()), client(secured.listener) {
    secured.broker.create_topic("orders").value();
  }

  /// What it was asked is `questions`, and it says so with `code` in its answer.
  template <typename Response, typename Request>
  void check(const Request& request, ApiVersion version, int code,
             const std::set<std::string>& questions) {
    strict.take_asked();
    const auto response = client.call<Response>(request, version);
    const std::string text = MessageCodec<Response>::to_text(response, version);
    INFO(Request::name << " of version " << version << ": " << text);
    CHECK(strict.take_asked() == questions);
    CHECK_THAT(text, Contains(fmt::format("ErrorCode\":{}", code)));
    covered.insert(Request::api_key);
  }

  Strict strict;
  Secured secured;
  WireClient client;
  std::set<ApiKey> covered;
};

void check_topics(Denied& denied) {
  const auto batch = batch_of("x");
  ProduceRequest produce;
  produce.acks = -1;
  produce.topic_data.push_back({.name = "orders", .partition_data = {{.records = Bytes(batch)}}});
  denied.check<ProduceResponse>(produce, 9, of_topic, {"write topic orders"});
  produce.transactional_id = "txn";
  denied.check<ProduceResponse>(produce, 9, of_transactional_id, {"write transactional-id txn"});
  FetchRequest fetch;
  fetch.topics.push_back({.topic = "orders", .partitions = {{.partition_max_bytes = 1000}}});
  denied.check<FetchResponse>(fetch, 12, of_topic, {"read topic orders"});
  denied.check<ListOffsetsResponse>(ListOffsetsRequest{.topics = {{"orders", {{}}}}}, 7, of_topic,
                                    {"describe topic orders"});
  denied.check<MetadataResponse>(MetadataRequest{.topics = {{{.name = "orders"}}}}, 9, of_topic,
                                 {"describe topic orders"});
  denied.check<OffsetForLeaderEpochResponse>(
      OffsetForLeaderEpochRequest{.topics = {{"orders", {{}}}}}, 4, of_topic,
      {"describe topic orders"});
  denied.check<DescribeTopicPartitionsResponse>(
      DescribeTopicPartitionsRequest{.topics = {{"orders"}}}, 0, of_topic,
      {"describe topic orders"});
  denied.check<CreateTopicsResponse>(CreateTopicsRequest{.topics = {{"new", 1, 1}}}, 5, of_topic,
                                     {"create cluster kafka-cluster", "create topic new"});
  denied.check<DeleteTopicsResponse>(DeleteTopicsRequest{.topic_names = {"orders"}}, 5, of_topic,
                                     {"delete topic orders"});
  denied.check<DeleteRecordsResponse>(DeleteRecordsRequest{.topics = {{"orders", {{}}}}}, 2,
                                      of_topic, {"delete topic orders"});
  denied.check<CreatePartitionsResponse>(CreatePartitionsRequest{.topics = {{"orders", 3}}}, 2,
                                         of_topic, {"alter topic orders"});
}

void check_groups(Denied& denied) {
  denied.check<OffsetCommitResponse>(
      OffsetCommitRequest{.group_id = "team", .topics = {{"orders", {{}}}}}, 7, of_group,
      {"read group team", "read topic orders"});
  for (const auto version : {ApiVersion{1}, ApiVersion{7}}) {
    denied.check<OffsetFetchResponse>(
        OffsetFetchRequest{.group_id = "team", .topics = {{{"orders", {0}}}}}, version, of_group,
        {"describe group team"});
  }
  denied.check<OffsetFetchResponse>(OffsetFetchRequest{.groups = {{.group_id = "team"}}}, 8,
                                    of_group, {"describe group team"});
  for (const auto version : {ApiVersion{3}, ApiVersion{4}}) {
    const FindCoordinatorRequest of_team{.key = "team", .coordinator_keys = {"team"}};
    denied.check<FindCoordinatorResponse>(of_team, version, of_group, {"describe group team"});
    const FindCoordinatorRequest of_txn{.key = "txn", .key_type = 1, .coordinator_keys = {"txn"}};
    denied.check<FindCoordinatorResponse>(of_txn, version, of_transactional_id,
                                          {"describe transactional-id txn"});
  }
  const std::set<std::string> as_member = {"read group team"};
  denied.check<JoinGroupResponse>(
      JoinGroupRequest{.group_id = "team", .session_timeout_ms = 10'000}, 5, of_group, as_member);
  denied.check<SyncGroupResponse>(SyncGroupRequest{.group_id = "team"}, 3, of_group, as_member);
  denied.check<HeartbeatResponse>(HeartbeatRequest{.group_id = "team"}, 3, of_group, as_member);
  denied.check<LeaveGroupResponse>(LeaveGroupRequest{.group_id = "team"}, 3, of_group, as_member);
  denied.check<DescribeGroupsResponse>(DescribeGroupsRequest{.groups = {"team"}}, 4, of_group,
                                       {"describe group team"});
  denied.check<DeleteGroupsResponse>(DeleteGroupsRequest{.groups_names = {"team"}}, 1, of_group,
                                     {"delete group team"});
  denied.check<OffsetDeleteResponse>(
      OffsetDeleteRequest{.group_id = "team", .topics = {{"orders", {{0}}}}}, 0, of_group,
      {"delete group team"});
  denied.check<ListGroupsResponse>(ListGroupsRequest(), 3, 0, {"describe cluster kafka-cluster"});
}

void check_transactions(Denied& denied) {
  const std::set<std::string> as_writer = {"write transactional-id txn"};
  denied.check<InitProducerIdResponse>(InitProducerIdRequest{.transactional_id = "txn"}, 4,
                                       of_transactional_id, as_writer);
  denied.check<InitProducerIdResponse>(InitProducerIdRequest{.transactional_id = std::nullopt}, 4,
                                       of_cluster,
                                       {"idempotent-write cluster kafka-cluster", "write topic *"});
  denied.check<AddPartitionsToTxnResponse>(
      AddPartitionsToTxnRequest{.transactional_id = "txn", .topics = {{"orders", {0}}}}, 3,
      of_transactional_id, {"write transactional-id txn", "write topic orders"});
  denied.check<AddOffsetsToTxnResponse>(
      AddOffsetsToTxnRequest{.transactional_id = "txn", .group_id = "team"}, 3, of_transactional_id,
      as_writer);
  denied.check<EndTxnResponse>(EndTxnRequest{.transactional_id = "txn"}, 3, of_transactional_id,
                               as_writer);
  denied.check<TxnOffsetCommitResponse>(
      TxnOffsetCommitRequest{
          .transactional_id = "txn", .group_id = "team", .topics = {{"orders", {{}}}}},
      3, of_transactional_id, {"write transactional-id txn", "read topic orders"});
  denied.check<WriteTxnMarkersResponse>(
      WriteTxnMarkersRequest{.markers = {{.topics = {{"orders", {0}}}}}}, 1, of_cluster,
      {"cluster-action cluster kafka-cluster", "alter cluster kafka-cluster"});
  denied.check<DescribeTransactionsResponse>(DescribeTransactionsRequest{{"txn"}}, 0,
                                             of_transactional_id,
                                             {"describe transactional-id txn"});
  denied.check<ListTransactionsResponse>(ListTransactionsRequest(), 0, 0, {});
  denied.check<DescribeProducersResponse>(DescribeProducersRequest{{{"orders", {0}}}}, 0, of_topic,
                                          {"read topic orders"});
}

void check_cluster(Denied& denied) {
  const std::set<std::string> to_look = {"describe cluster kafka-cluster"};
  denied.check<DescribeConfigsResponse>(DescribeConfigsRequest{{{2, "orders"}}}, 3, of_topic,
                                        {"describe-configs topic orders"});
  denied.check<DescribeConfigsResponse>(DescribeConfigsRequest{{{4, "0"}}}, 3, of_cluster,
                                        {"describe-configs cluster kafka-cluster"});
  denied.check<AlterConfigsResponse>(AlterConfigsRequest{{{2, "orders"}}}, 1, of_topic,
                                     {"alter-configs topic orders"});
  denied.check<IncrementalAlterConfigsResponse>(IncrementalAlterConfigsRequest{{{4, "0"}}}, 0,
                                                of_cluster,
                                                {"alter-configs cluster kafka-cluster"});
  denied.check<DescribeLogDirsResponse>(DescribeLogDirsRequest(), 4, of_cluster, to_look);
  denied.check<ListPartitionReassignmentsResponse>(ListPartitionReassignmentsRequest(), 0,
                                                   of_cluster, to_look);
  denied.check<ElectLeadersResponse>(ElectLeadersRequest{.topic_partitions = {{{"orders", {0}}}}},
                                     2, of_cluster, {"alter cluster kafka-cluster"});
  denied.check<AlterPartitionReassignmentsResponse>(
      AlterPartitionReassignmentsRequest{.topics = {{"orders", {{0, std::vector{0}}}}}}, 0,
      of_cluster, {"alter cluster kafka-cluster"});
  denied.check<AlterReplicaLogDirsResponse>(
      AlterReplicaLogDirsRequest{.dirs = {{"/elsewhere", {{"orders", {0}}}}}}, 1, of_cluster,
      {"alter cluster kafka-cluster"});
  denied.check<DescribeClusterResponse>(
      DescribeClusterRequest{.include_cluster_authorized_operations = true}, 0, 0, to_look);
}

/// What a client that may do only some things meets.
ListenOptions by_rules(const std::string& rules) {
  ListenOptions options;
  options.authorizer = [all = server::AclRules::parse(rules, "rules").value()](
                           const AccessRequest& wanted) { return all.allows(wanted); };
  return options;
}

std::vector<std::string> names_of(const MetadataResponse& response) {
  std::vector<std::string> names;
  for (const auto& topic : response.topics) {
    names.push_back(topic.name.value_or("?") + (topic.error_code == WireError::none ? "" : "!"));
  }
  return names;
}

}  // namespace

TEST_CASE("Every API asks what it is to ask, and says no", "[authorization]") {
  Denied denied;
  check_topics(denied);
  check_groups(denied);
  check_transactions(denied);
  check_cluster(denied);
  CHECK(denied.strict.who() == std::set<std::string>{"User:ANONYMOUS 127.0.0.1"});
  const auto served = denied.client.call<ApiVersionsResponse>(ApiVersionsRequest(), 3);
  for (const auto& api : served.api_keys) {
    INFO(api_name(api.api_key));
    CHECK((api.api_key == ApiKey::api_versions || denied.covered.count(api.api_key) == 1));
  }
  // Nothing was done.
  for (const TopicInfo& topic : denied.secured.broker.topics().value()) {
    CHECK((topic.name == "orders" || topic.name == "__transaction_state"));
    CHECK((topic.partitions == 1 || topic.name != "orders"));
  }
}

TEST_CASE("Rules name hosts without their ports", "[authorization]") {
  CHECK(server::host_of("10.0.0.1:9092") == "10.0.0.1");
  CHECK(server::host_of("[::1]:9092") == "::1");
  CHECK(server::host_of("[::ffff:10.0.0.1]:9092") == "10.0.0.1");
  CHECK(server::host_of("[::ffff:1]:9092") == "::ffff:1");
}

TEST_CASE("Topics that one may not describe are not there", "[authorization]") {
  Secured secured(by_rules("allow User:* read topic prefix:open\nallow User:* create cluster"));
  for (const char* name : {"open-1", "open-2", "secret"}) {
    secured.broker.create_topic(name).value();
  }
  WireClient client(secured.listener);
  const MetadataRequest of_all{.topics = std::nullopt, .include_topic_authorized_operations = true};
  const auto all = client.call<MetadataResponse>(of_all, 9);
  CHECK(names_of(all) == std::vector<std::string>{"open-1", "open-2"});
  CHECK(all.topics[0].topic_authorized_operations == (1 << 3 | 1 << 8));  // read and describe
  const MetadataRequest some{
      .topics = {{{.name = "secret"}, {.name = "open-1"}, {.name = "missing"}}}};
  CHECK(names_of(client.call<MetadataResponse>(some, 9)) ==
        std::vector<std::string>{"secret!", "open-1", "missing!"});
  const auto paged =
      client.call<DescribeTopicPartitionsResponse>(DescribeTopicPartitionsRequest(), 0);
  CHECK(paged.topics.size() == 2);
  // By its id nobody can tell it from one that never was.
  const Broker& broker = secured.broker;
  const auto id = server::parse_uuid(broker.core()->topic("secret").value()->entry.id);
  const MetadataRequest by_id{.topics = {{{.topic_id = id, .name = std::nullopt}}}};
  CHECK(client.call<MetadataResponse>(by_id, 12).topics[0].error_code ==
        WireError::unknown_topic_id);
  const DeleteTopicsRequest removal{.topics = {{.name = std::nullopt, .topic_id = id}}};
  CHECK(client.call<DeleteTopicsResponse>(removal, 6).responses[0].error_code ==
        WireError::unknown_topic_id);
  CHECK(broker.describe_topic("secret"));
}

TEST_CASE("One topic of a request may be allowed, another not", "[authorization]") {
  Secured secured(by_rules("allow User:* write,describe topic mine"));
  secured.broker.create_topic("mine").value();
  secured.broker.create_topic("yours").value();
  WireClient client(secured.listener);
  const auto batch = batch_of("x");
  ProduceRequest request;
  request.acks = -1;
  for (const char* name : {"yours", "mine"}) {
    request.topic_data.push_back({.name = name, .partition_data = {{.records = Bytes(batch)}}});
  }
  const auto answer = client.call<ProduceResponse>(request, 9);
  CHECK(answer.responses[0].partition_responses[0].error_code ==
        WireError::topic_authorization_failed);
  CHECK(answer.responses[0].partition_responses[0].base_offset == -1);
  CHECK(answer.responses[1].partition_responses[0].error_code == WireError::none);
  // Who may write to some topic may get a producer id.
  const InitProducerIdRequest idempotent{.transactional_id = std::nullopt};
  CHECK(client.call<InitProducerIdResponse>(idempotent, 4).error_code == WireError::none);
  request.acks = 0;
  client.send(request, 9);
  CHECK(client.plain().is_closed_by_peer());
}

TEST_CASE("A topic is made for who may make it", "[authorization]") {
  Secured secured(by_rules("allow User:* describe topic *\nallow User:* create topic prefix:my"));
  WireClient client(secured.listener);
  const MetadataRequest wanted{.topics = {{{.name = "my-1"}, {.name = "your-1"}}}};
  CHECK(names_of(client.call<MetadataResponse>(wanted, 9)) ==
        std::vector<std::string>{"my-1", "your-1!"});
  const CreateTopicsRequest both{.topics = {{"my-2", 1, 1}, {"your-2", 1, 1}}};
  const auto made = client.call<CreateTopicsResponse>(both, 5);
  CHECK(made.topics[0].error_code == WireError::none);
  CHECK(made.topics[0].topic_config_error_code == WireError::topic_authorization_failed);
  CHECK(made.topics[0].num_partitions == -1);
  CHECK(made.topics[1].error_code == WireError::topic_authorization_failed);
  CHECK(secured.broker.topics().value().size() == 2);
}

TEST_CASE("Groups that one may not describe are not listed", "[authorization]") {
  Secured secured(by_rules("allow User:* read group prefix:a\nallow User:* read topic *"));
  secured.broker.create_topic("orders").value();
  WireClient client(secured.listener);
  const auto commit = [&](const std::string& group) {
    const OffsetCommitRequest request{.group_id = group, .topics = {{"orders", {{}}}}};
    return client.call<OffsetCommitResponse>(request, 7).topics[0].partitions[0].error_code;
  };
  CHECK(commit("a1") == WireError::none);
  CHECK(commit("b1") == WireError::group_authorization_failed);
  const auto listed = client.call<ListGroupsResponse>(ListGroupsRequest(), 3);
  REQUIRE(listed.groups.size() == 1);
  CHECK(listed.groups[0].group_id == "a1");
  const DescribeGroupsRequest both{.groups = {"a1", "b1"}, .include_authorized_operations = true};
  const auto described = client.call<DescribeGroupsResponse>(both, 4);
  CHECK(described.groups[0].authorized_operations == (1 << 3 | 1 << 8));
  CHECK(described.groups[1].error_code == WireError::group_authorization_failed);
}

TEST_CASE("A file of rules is gone by, and told of", "[authorization]") {
  const test::TempDirectory directory;
  ListenOptions options;
  options.acl_file = directory / "rules";
  std::ofstream(options.acl_file) << "allow User:ANONYMOUS describe cluster\n"
                                     "allow User:ann read,describe topic prefix:or\n"
                                     "deny User:bob from 10.0.0.1 all group *\n";
  Secured secured(options);
  secured.broker.create_topic("orders").value();
  WireClient client(secured.listener);
  CHECK(client.call<MetadataResponse>(MetadataRequest{.topics = std::nullopt}, 9).topics.empty());
  const auto count = [&](const DescribeAclsRequest& filter) {
    std::size_t rules = 0;
    const auto response = client.call<DescribeAclsResponse>(filter, 2);
    CHECK(response.error_code == WireError::none);
    for (const auto& resource : response.resources) rules += resource.acls.size();
    return rules;
  };
  DescribeAclsRequest filter{.resource_type_filter = 1,
                             .resource_name_filter = std::nullopt,
                             .pattern_type_filter = 1,
                             .principal_filter = std::nullopt,
                             .host_filter = std::nullopt,
                             .operation = 1,
                             .permission_type = 1};
  CHECK(count(filter) == 4);
  filter.permission_type = 2;
  CHECK(count(filter) == 1);
  filter.permission_type = 1;
  filter.principal_filter = "User:ann";
  CHECK(count(filter) == 2);
  filter.operation = 3;
  CHECK(count(filter) == 1);
  filter.resource_name_filter = "orders";
  CHECK(count(filter) == 0);
  filter.pattern_type_filter = 2;  // whatever holds for it
  CHECK(count(filter) == 1);
  filter.resource_type_filter = 3;
  CHECK(count(filter) == 0);
}

TEST_CASE("Rules that make no sense are refused before anybody is let in", "[authorization]") {
  const test::TempDirectory directory;
  const Broker broker = Broker::open(":memory:").value();
  ListenOptions options;
  options.port = 0;
  options.acl_file = directory / "rules";
  std::ofstream(options.acl_file) << "allow everybody everything";
  CHECK_THAT(broker.listen(options).error().message(),
             Contains(options.acl_file + ":1: 'everybody' is no principal"));
  options.authorizer = [](const AccessRequest&) { return true; };
  CHECK_THAT(broker.listen(options).error().message(), Contains("not both"));
}

TEST_CASE("Super users may do everything", "[authorization]") {
  Strict strict;
  ListenOptions options = strict.options();
  options.super_users = {"User:ANONYMOUS"};
  Secured secured(options);
  WireClient client(secured.listener);
  const MetadataRequest wanted{.topics = {{{.name = "orders"}}}};
  CHECK(names_of(client.call<MetadataResponse>(wanted, 9)) == std::vector<std::string>{"orders"});
  CHECK(strict.take_asked().empty());
}
