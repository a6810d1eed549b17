#include <algorithm>
#include <millrace/producer.hpp>
#include <millrace/protocol/messages/describe_groups.hpp>
#include <millrace/protocol/messages/join_group.hpp>
#include <millrace/protocol/messages/leave_group.hpp>
#include <millrace/protocol/messages/offset_commit.hpp>
#include <millrace/protocol/messages/sync_group.hpp>

#include "catch.hpp"
#include "server/kafka/admin_handlers.hpp"
#include "wire_client.hpp"

using namespace millrace;
using namespace millrace::protocol;
using Catch::Contains;
using millrace_test::WireClient;

namespace {

constexpr std::int8_t topic_type = 2;
constexpr std::int8_t broker_type = 4;

struct Served {
  Served() {
    TopicOptions options;
    options.partitions = 2;
    options.settings = {{"retention.ms", "1000"}};
    broker.create_topic("orders", options).value();
  }
  void append(int count) {
    const auto topic = broker.topic<std::optional<std::string>, std::string>("orders").value();
    for (int i = 0; i < count; ++i) {
      topic.partition(0).value().append(std::nullopt, "value").value();
    }
  }
  template <typename Response, typename Request>
  Response call(const Request& request, ApiVersion version = Request::versions.last) {
    return client.call<Response>(request, version);
  }
  /// The id of the one member of a group that is stable.
  std::string join(const std::string& group) {
    JoinGroupRequest wanted;
    wanted.group_id = group;
    wanted.session_timeout_ms = 60'000;
    wanted.rebalance_timeout_ms = 60'000;
    wanted.protocol_type = "consumer";
    wanted.protocols = {{"range", as_bytes("subscription")}};
    const auto joined = call<JoinGroupResponse>(wanted, 3);
    SyncGroupRequest sync;
    sync.group_id = group;
    sync.generation_id = joined.generation_id;
    sync.member_id = joined.member_id;
    sync.assignments = {{joined.member_id, as_bytes("assignment")}};
    REQUIRE(call<SyncGroupResponse>(sync, 3).error_code == WireError::none);
    return joined.member_id;
  }
  void commit(const std::string& group) {
    OffsetCommitRequest request;
    request.group_id = group;
    request.topics = {{"orders", {{.partition_index = 0, .committed_offset = 1}}}};
    REQUIRE(call<OffsetCommitResponse>(request, 7).topics[0].partitions[0].error_code ==
            WireError::none);
  }
  WireError leave(const std::string& group, const std::string& member) {
    LeaveGroupRequest request;
    request.group_id = group;
    request.member_id = member;
    return call<LeaveGroupResponse>(request, 2).error_code;
  }
  DescribeConfigsResponse::Result configs_of(std::int8_t type, const std::string& name,
                                             std::vector<std::string> keys = {}) {
    DescribeConfigsRequest request;
    request.resources = {{type, name, std::move(keys)}};
    request.include_synonyms = true;
    request.include_documentation = true;
    return call<DescribeConfigsResponse>(request).results.at(0);
  }
  std::string value_of(const std::string& setting) {
    return configs_of(topic_type, "orders", {setting}).configs.at(0).value.value();
  }

  Broker broker = Broker::open(":memory:").value();
  Listener listener = broker.listen({.port = 0}).value();
  WireClient client{listener};
};

std::vector<std::string> names_of(const ListGroupsResponse& response) {
  std::vector<std::string> names;
  for (const auto& group : response.groups) names.push_back(group.group_id);
  std::ranges::sort(names);
  return names;
}

using IncrementalConfig = IncrementalAlterConfigsRequest::Config;
IncrementalAlterConfigsResponse::Resource change(Served& served, const IncrementalConfig& config,
                                                 bool validate_only = false) {
  IncrementalAlterConfigsRequest request;
  request.resources = {{topic_type, "orders", {config}}};
  request.validate_only = validate_only;
  return served.call<IncrementalAlterConfigsResponse>(request).responses.at(0);
}

CreatePartitionsResponse::Topic grow(Served& served, const CreatePartitionsRequest::Topic& topic,
                                     bool validate_only = false) {
  CreatePartitionsRequest request;
  request.topics = {topic};
  request.validate_only = validate_only;
  return served.call<CreatePartitionsResponse>(request).results.at(0);
}

DeleteRecordsResponse::Partition delete_records(Served& served, const std::string& topic,
                                                std::int64_t offset, std::int32_t partition = 0) {
  DeleteRecordsRequest request;
  request.topics = {{topic, {{partition, offset}}}};
  return served.call<DeleteRecordsResponse>(request).topics.at(0).partitions.at(0);
}

}  // namespace

TEST_CASE("groups are listed by state and type") {
  Served served;
  CHECK(served.call<ListGroupsResponse>(ListGroupsRequest()).groups.empty());
  served.join("working");
  served.commit("simple");
  const auto all = served.call<ListGroupsResponse>(ListGroupsRequest());
  CHECK(names_of(all) == std::vector<std::string>{"simple", "working"});
  for (const auto& group : all.groups) {
    CHECK(group.group_type == "classic");
    CHECK(group.group_state == (group.group_id == "working" ? "Stable" : "Empty"));
    CHECK(group.protocol_type == (group.group_id == "working" ? "consumer" : ""));
  }
  ListGroupsRequest filtered;
  filtered.states_filter = {"stable"};
  CHECK(names_of(served.call<ListGroupsResponse>(filtered)) == std::vector<std::string>{"working"});
  filtered.types_filter = {"consumer"};
  CHECK(served.call<ListGroupsResponse>(filtered).groups.empty());
}

TEST_CASE("a group is described with its members, one that is not there as dead") {
  Served served;
  const std::string member = served.join("working");
  DescribeGroupsRequest request;
  request.groups = {"working", "nobody"};
  request.include_authorized_operations = true;
  const auto response = served.call<DescribeGroupsResponse>(request);
  REQUIRE(response.groups.size() == 2);
  const auto& group = response.groups[0];
  CHECK(group.error_code == WireError::none);
  CHECK(group.group_state == "Stable");
  CHECK(group.protocol_type == "consumer");
  CHECK(group.protocol_data == "range");
  CHECK(group.authorized_operations == (1 << 3 | 1 << 6 | 1 << 8));
  REQUIRE(group.members.size() == 1);
  CHECK(group.members[0].member_id == member);
  CHECK(group.members[0].client_id == "test");
  CHECK_THAT(group.members[0].client_host, Contains("/127.0.0.1"));
  CHECK(as_text(group.members[0].member_metadata) == "subscription");
  CHECK(as_text(group.members[0].member_assignment) == "assignment");
  CHECK(response.groups[1].error_code == WireError::none);
  CHECK(response.groups[1].group_state == "Dead");
  CHECK(response.groups[1].members.empty());
}

TEST_CASE("a group is deleted when nobody is in it any more") {
  Served served;
  const std::string member = served.join("working");
  DeleteGroupsRequest request;
  request.groups_names = {"working"};
  const auto remove = [&] {
    return served.call<DeleteGroupsResponse>(request).results.at(0).error_code;
  };
  CHECK(remove() == WireError::non_empty_group);
  REQUIRE(served.leave("working", member) == WireError::none);
  CHECK(remove() == WireError::none);
  CHECK(remove() == WireError::group_id_not_found);
  CHECK(served.call<ListGroupsResponse>(ListGroupsRequest()).groups.empty());
}

TEST_CASE("a topic's settings say what they are, where from and what else they are called") {
  Served served;
  const auto result = served.configs_of(topic_type, "orders");
  CHECK(result.error_code == WireError::none);
  CHECK(result.configs.size() > 15);
  const auto find = [&](const char* name) {
    return *std::ranges::find(result.configs, name, &DescribeConfigsResponse::Config::name);
  };
  const auto retention = find("retention.ms");
  CHECK(retention.value == "1000");
  CHECK(retention.config_source == 1);
  CHECK(retention.config_type == 5);
  CHECK_FALSE(retention.read_only);
  CHECK_THAT(retention.documentation.value(), Contains("age"));
  REQUIRE(retention.synonyms.size() == 2);
  CHECK(retention.synonyms[0].name == "retention.ms");
  CHECK(retention.synonyms[0].source == 1);
  CHECK(retention.synonyms[1].name == "log.retention.ms");
  CHECK(retention.synonyms[1].value == "604800000");
  CHECK(retention.synonyms[1].source == 5);
  CHECK(find("cleanup.policy").config_type == 7);
  CHECK(find("cleanup.policy").config_source == 5);
  CHECK(find("preallocate").config_type == 1);
  CHECK(find("min.cleanable.dirty.ratio").config_type == 6);
  CHECK(served.configs_of(topic_type, "orders", {"segment.ms", "none"}).configs.size() == 1);
}

TEST_CASE("a broker's settings can be read; resources that are not there are refused") {
  Served served;
  const auto broker = served.configs_of(broker_type, "0", {"num.partitions"});
  REQUIRE(broker.configs.size() == 1);
  CHECK(broker.configs[0].read_only);
  CHECK(broker.configs[0].config_type == 3);
  CHECK(served.configs_of(broker_type, "").configs.empty());
  CHECK(served.configs_of(broker_type, "7").error_code == WireError::invalid_request);
  CHECK(served.configs_of(topic_type, "nowhere").error_code ==
        WireError::unknown_topic_or_partition);
  CHECK(served.configs_of(topic_type, "a/b").error_code == WireError::invalid_topic_exception);
  const auto unknown = served.configs_of(99, "orders");
  CHECK(unknown.error_code == WireError::invalid_request);
  CHECK_THAT(unknown.error_message.value(), Contains("99"));
}

TEST_CASE("all settings of a topic are replaced") {
  Served served;
  AlterConfigsRequest request;
  request.resources = {{topic_type, "orders", {{"segment.ms", "5000"}}}};
  request.validate_only = true;
  const auto alter = [&] {
    return served.call<AlterConfigsResponse>(request).responses.at(0).error_code;
  };
  CHECK(alter() == WireError::none);
  CHECK(served.value_of("segment.ms") == "604800000");
  request.validate_only = false;
  CHECK(alter() == WireError::none);
  CHECK(served.value_of("segment.ms") == "5000");
  CHECK(served.value_of("retention.ms") == "604800000");
  auto& resource = request.resources[0];
  resource.configs = {{"segment.ms", "soon"}};
  CHECK(alter() == WireError::invalid_config);
  resource.configs = {{"no.such.setting", "1"}};
  CHECK(alter() == WireError::invalid_config);
  resource.configs = {{"segment.ms", std::nullopt}};
  CHECK(alter() == WireError::invalid_request);
  resource.configs = {{"segment.ms", "1"}, {"segment.ms", "2"}};
  CHECK(alter() == WireError::invalid_request);
  resource = {broker_type, "0", {{"num.partitions", "2"}}};
  CHECK(alter() == WireError::invalid_request);
  resource = {32, "group", {}};
  CHECK(alter() == WireError::invalid_request);
  resource = {topic_type, "nowhere", {}};
  CHECK(alter() == WireError::unknown_topic_or_partition);
  request.resources.push_back(resource);
  CHECK(alter() == WireError::invalid_request);
  CHECK(served.value_of("segment.ms") == "5000");
}

TEST_CASE("single settings are set, reset, and lists added to and taken from") {
  Served served;
  enum : std::int8_t { set, reset, append, subtract };
  CHECK(change(served, {"segment.ms", set, "5000"}, true).error_code == WireError::none);
  CHECK(served.value_of("segment.ms") == "604800000");
  CHECK(change(served, {"segment.ms", set, "5000"}).error_code == WireError::none);
  CHECK(served.value_of("segment.ms") == "5000");
  CHECK(served.value_of("retention.ms") == "1000");
  CHECK(change(served, {"retention.ms", reset, std::nullopt}).error_code == WireError::none);
  CHECK(served.value_of("retention.ms") == "604800000");
  CHECK(change(served, {"cleanup.policy", append, "compact"}).error_code == WireError::none);
  CHECK(served.value_of("cleanup.policy") == "delete,compact");
  CHECK(change(served, {"cleanup.policy", subtract, "delete"}).error_code == WireError::none);
  CHECK(served.value_of("cleanup.policy") == "compact");
  CHECK(change(served, {"cleanup.policy", subtract, "compact"}).error_code ==
        WireError::invalid_config);
  CHECK(change(served, {"segment.ms", append, "1"}).error_code == WireError::invalid_config);
  CHECK(change(served, {"segment.ms", set, "-5"}).error_code == WireError::invalid_config);
  CHECK(change(served, {"segment.ms", set, ""}).error_code == WireError::invalid_config);
  CHECK(change(served, {"segment.ms", set, std::nullopt}).error_code == WireError::invalid_request);
  CHECK(change(served, {"segment.ms", 9, "1"}).error_code == WireError::invalid_request);
}

TEST_CASE("what records have been seen by stays, also when it is only asked whether it could go") {
  Served served;
  const IncrementalConfig delayed{"millrace.delayed.delivery", 0, "true"};
  CHECK(change(served, delayed, true).error_code == WireError::none);
  served.append(1);
  CHECK(change(served, delayed, true).error_code == WireError::invalid_config);
  CHECK(change(served, delayed).error_code == WireError::invalid_config);
}

TEST_CASE("a topic gets more partitions, never fewer") {
  Served served;
  CHECK(grow(served, {"orders", 3, std::nullopt}, true).error_code == WireError::none);
  CHECK(grow(served, {"orders", 2, std::nullopt}).error_code == WireError::invalid_partitions);
  CHECK(grow(served, {"orders", 3, std::nullopt}).error_code == WireError::none);
  CHECK(grow(served, {"orders", 3, std::nullopt}).error_code == WireError::invalid_partitions);
  using Assignments = std::vector<CreatePartitionsRequest::Assignment>;
  CHECK(grow(served, {"orders", 4, Assignments{{{1}}}}).error_code ==
        WireError::invalid_replica_assignment);
  CHECK(grow(served, {"orders", 5, Assignments{{{0}}}}).error_code ==
        WireError::invalid_replica_assignment);
  CHECK(grow(served, {"orders", 4, Assignments{{{0}}}}).error_code == WireError::none);
  CHECK(grow(served, {"nowhere", 4, std::nullopt}).error_code ==
        WireError::unknown_topic_or_partition);
  served.commit("simple");
  CHECK(grow(served, {"__consumer_offsets", 400, std::nullopt}).error_code ==
        WireError::invalid_topic_exception);
  CreatePartitionsRequest twice;
  twice.topics = {{"orders", 6, std::nullopt}, {"orders", 7, std::nullopt}};
  CHECK(served.call<CreatePartitionsResponse>(twice).results.at(1).error_code ==
        WireError::invalid_request);
  CHECK(delete_records(served, "orders", 0, 3).error_code == WireError::none);
  CHECK(delete_records(served, "orders", 0, 4).error_code == WireError::unknown_topic_or_partition);
}

TEST_CASE("records are deleted up to an offset, or all of them") {
  Served served;
  served.append(5);
  CHECK(delete_records(served, "orders", 2).low_watermark == 2);
  CHECK(delete_records(served, "orders", 1).low_watermark == 2);
  const auto beyond = delete_records(served, "orders", 6);
  CHECK(beyond.error_code == WireError::offset_out_of_range);
  CHECK(beyond.low_watermark == -1);
  CHECK(delete_records(served, "orders", -2).error_code == WireError::offset_out_of_range);
  CHECK(delete_records(served, "orders", -1).low_watermark == 5);
  CHECK(change(served, {"cleanup.policy", 0, "compact"}).error_code == WireError::none);
  CHECK(delete_records(served, "orders", -1).error_code == WireError::policy_violation);
  served.commit("simple");
  CHECK(delete_records(served, "__consumer_offsets", -1).error_code ==
        WireError::invalid_topic_exception);
}

TEST_CASE("the end of the one epoch is the end of the log") {
  Served served;
  served.append(3);
  const auto ask = [&](std::int32_t epoch, std::int32_t current, std::int32_t partition = 0) {
    OffsetForLeaderEpochRequest request;
    request.topics = {{"orders", {{partition, current, epoch}}}};
    return served.call<OffsetForLeaderEpochResponse>(request).topics.at(0).partitions.at(0);
  };
  CHECK(ask(0, -1).end_offset == 3);
  CHECK(ask(0, 0).leader_epoch == 0);
  CHECK(ask(1, 0).end_offset == -1);
  CHECK(ask(1, 0).leader_epoch == -1);
  CHECK(ask(0, 1).error_code == WireError::unknown_leader_epoch);
  CHECK(ask(0, 0, 9).error_code == WireError::unknown_topic_or_partition);
}

TEST_CASE("there is one leader, and nothing to elect or to move") {
  Served served;
  ElectLeadersRequest request;
  request.topic_partitions = {{"orders", {0, 9}}};
  const auto elected = served.call<ElectLeadersResponse>(request);
  CHECK(elected.error_code == WireError::none);
  const auto& results = elected.replica_election_results.at(0).partition_result;
  CHECK(results.at(0).error_code == WireError::election_not_needed);
  CHECK(results.at(1).error_code == WireError::unknown_topic_or_partition);
  request.topic_partitions.reset();
  CHECK(served.call<ElectLeadersResponse>(request).replica_election_results.empty());
  request.election_type = 5;
  CHECK(served.call<ElectLeadersResponse>(request).error_code == WireError::invalid_request);
  const auto moves =
      served.call<ListPartitionReassignmentsResponse>(ListPartitionReassignmentsRequest());
  CHECK(moves.error_code == WireError::none);
  CHECK(moves.topics.empty());
}

TEST_CASE("a cluster has one broker, which is where it was asked") {
  Served served;
  DescribeClusterRequest request;
  request.include_cluster_authorized_operations = true;
  const auto cluster = served.call<DescribeClusterResponse>(request);
  CHECK(cluster.error_code == WireError::none);
  CHECK_FALSE(cluster.cluster_id.empty());
  REQUIRE(cluster.brokers.size() == 1);
  CHECK(cluster.brokers[0].broker_id == cluster.controller_id);
  CHECK_THAT(served.listener.address(), Contains(std::to_string(cluster.brokers[0].port)));
  CHECK(cluster.cluster_authorized_operations > 0);
  request.endpoint_type = 2;
  CHECK(served.call<DescribeClusterResponse>(request).error_code ==
        WireError::mismatched_endpoint_type);
  request.endpoint_type = 3;
  CHECK(served.call<DescribeClusterResponse>(request).error_code ==
        WireError::unsupported_endpoint_type);
}

TEST_CASE("a directory says how large the logs in it are") {
  Served served;
  served.append(1);
  DescribeLogDirsRequest request;
  request.topics = {{"orders", {0, 9}}, {"nowhere", {0}}};
  const auto some = served.call<DescribeLogDirsResponse>(request).results.at(0);
  REQUIRE(some.topics.size() == 1);
  REQUIRE(some.topics[0].partitions.size() == 1);
  CHECK(some.topics[0].partitions[0].partition_size > 0);
  request.topics.reset();
  const auto all = served.call<DescribeLogDirsResponse>(request).results.at(0);
  REQUIRE(all.topics.size() == 1);
  CHECK(all.topics[0].partitions.size() == 2);
  CHECK(all.topics[0].partitions[1].partition_size == 0);
}

TEST_CASE("partitions are described page by page") {
  Served served;
  served.broker.create_topic("last").value();
  DescribeTopicPartitionsRequest request;
  const auto ask = [&] { return served.call<DescribeTopicPartitionsResponse>(request); };
  const auto all = ask();
  REQUIRE(all.topics.size() == 2);
  CHECK(all.topics[0].name == "last");
  CHECK(all.topics[1].partitions.size() == 2);
  CHECK_FALSE(all.next_cursor.has_value());
  request.response_partition_limit = 2;
  const auto first = ask();
  REQUIRE(first.next_cursor.has_value());
  CHECK(first.next_cursor->topic_name == "orders");
  CHECK(first.next_cursor->partition_index == 1);
  request.cursor = {first.next_cursor->topic_name, first.next_cursor->partition_index};
  const auto second = ask();
  REQUIRE(second.topics.size() == 1);
  REQUIRE(second.topics[0].partitions.size() == 1);
  CHECK(second.topics[0].partitions[0].partition_index == 1);
  CHECK_FALSE(second.next_cursor.has_value());
  request.cursor.reset();
  request.response_partition_limit = 1;
  const auto full = ask();
  CHECK(full.topics.size() == 1);
  REQUIRE(full.next_cursor.has_value());
  CHECK(full.next_cursor->topic_name == "orders");
  CHECK(full.next_cursor->partition_index == 0);
  request.topics = {{"nowhere"}, {"a/b"}};
  const auto unknown = ask();
  CHECK(unknown.topics.at(0).error_code == WireError::invalid_topic_exception);
  CHECK(unknown.topics.at(1).error_code == WireError::unknown_topic_or_partition);
  request.response_partition_limit = 0;
  CHECK(ask().topics.at(0).error_code == WireError::invalid_request);
}
