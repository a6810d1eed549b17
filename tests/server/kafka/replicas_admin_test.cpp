#include <filesystem>

#include "catch.hpp"
#include "server/kafka/admin_handlers.hpp"
#include "temp_directory.hpp"
#include "wire_client.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace::test::TempDirectory;
using millrace_test::WireClient;

namespace {

struct Served {
  Served() { broker.create_topic("orders").value(); }

  TempDirectory directory;
  Broker broker = Broker::open(directory.path()).value();
  Listener listener = broker.listen({.port = 0}).value();
  WireClient client{listener};
};

}  // namespace

TEST_CASE("a replica can be moved to where it is, and nowhere else") {
  Served served;
  const ApiVersion version = GENERATE(ApiVersion{1}, ApiVersion{2});
  const std::string here = std::filesystem::absolute(served.directory.path()).string();
  AlterReplicaLogDirsRequest request;
  request.dirs = {{here, {{"orders", {0, 1}}, {"none", {0}}}},
                  {here + "/other", {{"orders", {0}}}}};
  const auto answer = served.client.call<AlterReplicaLogDirsResponse>(request, version);
  REQUIRE(answer.results.size() == 3);
  CHECK(answer.results[0].topic_name == "orders");
  REQUIRE(answer.results[0].partitions.size() == 2);
  CHECK(answer.results[0].partitions[0].error_code == WireError::none);
  CHECK(answer.results[0].partitions[1].partition_index == 1);
  CHECK(answer.results[0].partitions[1].error_code == WireError::unknown_topic_or_partition);
  CHECK(answer.results[1].partitions[0].error_code == WireError::unknown_topic_or_partition);
  CHECK(answer.results[2].partitions[0].error_code == WireError::log_dir_not_found);
}

TEST_CASE("a partition can be given the replicas that it has, and no others") {
  Served served;
  const auto reassign = [&](const std::string& topic,
                            std::optional<std::vector<std::int32_t>> replicas) {
    AlterPartitionReassignmentsRequest request;
    request.topics = {{topic, {{0, std::move(replicas)}}}};
    const auto answer = served.client.call<AlterPartitionReassignmentsResponse>(request, 0);
    CHECK(answer.error_code == WireError::none);
    CHECK_FALSE(answer.error_message.has_value());
    return answer.responses.at(0).partitions.at(0);
  };
  using Replicas = std::vector<std::int32_t>;
  CHECK(reassign("orders", Replicas{0}).error_code == WireError::none);
  CHECK_FALSE(reassign("orders", Replicas{0}).error_message.has_value());
  CHECK(reassign("orders", std::nullopt).error_code == WireError::no_reassignment_in_progress);
  CHECK(reassign("none", Replicas{0}).error_code == WireError::unknown_topic_or_partition);
  const auto bad = GENERATE(Replicas{}, Replicas{0, 0}, Replicas{0, 1}, Replicas{7}, Replicas{-1});
  CHECK(reassign("orders", bad).error_code == WireError::invalid_replica_assignment);
  CHECK(reassign("orders", bad).error_message.has_value());
}

TEST_CASE("limits on the moving of replicas can be lifted where there are none") {
  Served served;
  constexpr std::int8_t remove = 1;
  constexpr std::int8_t topic_type = 2;
  constexpr std::int8_t broker_type = 4;
  IncrementalAlterConfigsRequest request;
  request.resources = {
      {topic_type, "orders", {{"leader.replication.throttled.replicas", remove, std::nullopt}}},
      {broker_type, "0", {{"leader.replication.throttled.rate", remove, std::nullopt}}}};
  const auto lift = [&] {
    return served.client.call<IncrementalAlterConfigsResponse>(request, 1).responses;
  };
  CHECK(lift().at(0).error_code == WireError::none);
  CHECK(lift().at(1).error_code == WireError::none);
  request.resources.at(1).configs.at(0) = {"leader.replication.throttled.rate", 0, "1"};
  CHECK(lift().at(1).error_code == WireError::invalid_request);
}
