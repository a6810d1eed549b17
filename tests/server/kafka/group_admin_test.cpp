#include <millrace/coordinator/consumer_protocol.hpp>
#include <millrace/protocol/messages/describe_groups.hpp>
#include <millrace/protocol/messages/heartbeat.hpp>
#include <millrace/protocol/messages/join_group.hpp>
#include <millrace/protocol/messages/leave_group.hpp>
#include <millrace/protocol/messages/offset_commit.hpp>
#include <millrace/protocol/messages/offset_fetch.hpp>
#include <millrace/protocol/messages/sync_group.hpp>

#include "catch.hpp"
#include "server/kafka/admin_handlers.hpp"
#include "wire_client.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace_test::WireClient;

namespace {

constexpr ApiVersion join_version = 3;

struct Served {
  Served() {
    for (const char* topic : {"orders", "bills"}) broker.create_topic(topic).value();
  }
  JoinGroupResponse join(const std::string& group, std::int32_t session_timeout_ms = 60'000) {
    coordinator::Subscription subscription;
    subscription.topics = {"orders"};
    const auto metadata = coordinator::encode(subscription).value();
    JoinGroupRequest request;
    request.group_id = group;
    request.session_timeout_ms = session_timeout_ms;
    request.rebalance_timeout_ms = 60'000;
    request.protocol_type = "consumer";
    request.protocols = {{"range", metadata}};
    return client.call<JoinGroupResponse>(request, join_version);
  }
  WireError sync(const std::string& group, const JoinGroupResponse& joined) {
    SyncGroupRequest request;
    request.group_id = group;
    request.generation_id = joined.generation_id;
    request.member_id = joined.member_id;
    request.assignments = {{joined.member_id, as_bytes("assignment")}};
    return client.call<SyncGroupResponse>(request, join_version).error_code;
  }
  WireError heartbeat(const std::string& group) {
    HeartbeatRequest request;
    request.group_id = group;
    return client.call<HeartbeatResponse>(request, 3).error_code;
  }
  WireError leave(const std::string& group, const std::string& member) {
    LeaveGroupRequest request;
    request.group_id = group;
    request.member_id = member;
    return client.call<LeaveGroupResponse>(request, 2).error_code;
  }
  WireError commit(const std::string& group, const JoinGroupResponse& as = {}) {
    OffsetCommitRequest request;
    request.group_id = group;
    request.member_id = as.member_id;
    request.generation_id_or_member_epoch = as.member_id.empty() ? -1 : as.generation_id;
    for (const char* topic : {"orders", "bills"}) {
      request.topics.push_back({topic, {{.partition_index = 0, .committed_offset = 1}}});
    }
    return client.call<OffsetCommitResponse>(request, 7).topics[0].partitions[0].error_code;
  }
  std::int64_t committed(const std::string& group, const std::string& topic) {
    OffsetFetchRequest request;
    request.group_id = group;
    request.topics.emplace();
    request.topics->push_back({.name = topic, .partition_indexes = {0}});
    const auto answer = client.call<OffsetFetchResponse>(request, 7);
    return answer.topics.at(0).partitions.at(0).committed_offset;
  }
  OffsetDeleteResponse forget(const std::string& group) {
    OffsetDeleteRequest request;
    request.group_id = group;
    request.topics = {{"orders", {{0}, {1}}}, {"bills", {{0}}}, {"none", {{0}}}};
    return client.call<OffsetDeleteResponse>(request, 0);
  }

  Broker broker = Broker::open(":memory:").value();
  Listener listener = broker.listen({.port = 0}).value();
  WireClient client{listener};
};

}  // namespace

TEST_CASE("offsets of a group without members are forgotten") {
  Served served;
  REQUIRE(served.commit("simple") == WireError::none);
  const auto answer = served.forget("simple");
  REQUIRE(answer.error_code == WireError::none);
  REQUIRE(answer.topics.size() == 3);
  CHECK(answer.topics[0].partitions.at(0).error_code == WireError::none);
  CHECK(answer.topics[0].partitions.at(1).error_code == WireError::unknown_topic_or_partition);
  CHECK(answer.topics[1].partitions.at(0).error_code == WireError::none);
  CHECK(answer.topics[2].partitions.at(0).error_code == WireError::unknown_topic_or_partition);
  CHECK(served.committed("simple", "orders") == -1);
  CHECK(served.committed("simple", "bills") == -1);
}

TEST_CASE("offsets of topics that a group reads are kept, others forgotten") {
  Served served;
  const auto joined = served.join("team");
  REQUIRE(joined.error_code == WireError::none);
  REQUIRE(served.sync("team", joined) == WireError::none);
  REQUIRE(served.commit("team", joined) == WireError::none);
  const auto answer = served.forget("team");
  REQUIRE(answer.error_code == WireError::none);
  CHECK(answer.topics.at(0).partitions.at(0).error_code == WireError::group_subscribed_to_topic);
  CHECK(answer.topics.at(1).partitions.at(0).error_code == WireError::none);
  CHECK(served.committed("team", "orders") == 1);
  CHECK(served.committed("team", "bills") == -1);
}

TEST_CASE("offsets of a group that is not there cannot be forgotten") {
  Served served;
  const auto answer = served.forget("nobody");
  CHECK(answer.error_code == WireError::group_id_not_found);
  CHECK(answer.topics.empty());
}

TEST_CASE("a group without a name is refused, but by what clients of old ask without one") {
  Served served;
  CHECK(served.join("").error_code == WireError::invalid_group_id);
  CHECK(served.sync("", {}) == WireError::invalid_group_id);
  CHECK(served.heartbeat("") == WireError::invalid_group_id);
  CHECK(served.leave("", "member") == WireError::invalid_group_id);
  CHECK(served.forget("").error_code == WireError::invalid_group_id);
  CHECK(served.commit("") == WireError::none);
  CHECK(served.committed("", "orders") == 1);
}

TEST_CASE("a session may not take longer than the broker allows") {
  Served served;
  CHECK(served.join("team", 3'600'000).error_code == WireError::invalid_session_timeout);
}

TEST_CASE("a member is described with the host that it came from") {
  Served served;
  served.join("team");
  DescribeGroupsRequest request;
  request.groups = {"team"};
  const auto answer = served.client.call<DescribeGroupsResponse>(request, 5);
  CHECK(answer.groups.at(0).members.at(0).client_host == "/127.0.0.1");
}
