#include <cstdio>
#include <fstream>
#include <millrace/protocol/headers.hpp>
#include <string>

#include "protocol_corpus.hpp"
#include "support/all_messages.hpp"

using namespace millrace;
using namespace millrace::protocol;

namespace {

class RequestCorpus {
 public:
  explicit RequestCorpus(std::filesystem::path folder) : folder_(std::move(folder)) {}

  template <typename M>
  void write(const M& from, ApiVersion version) {
    const std::string name = M::name;
    const std::int32_t correlation_id = name.ends_with("Request") ? 2 : 3;
    MessageWriter writer;
    const RequestHeader header{M::api_key, version, correlation_id, "corpus"};
    const auto head = write_request_header(header, writer);
    const auto body = MessageCodec<M>::encode(from, version, writer);
    if (!head || !body) return static_cast<void>(std::fprintf(stderr, "%s\n", M::name));
    std::ofstream out(folder_ / (name + "_v" + std::to_string(version)), std::ios::binary);
    for (const Bytes piece : writer.pieces()) out << as_text(piece);
  }

  template <typename M>
  void write_first_and_last(const M& from) {
    write(from, M::versions.first);
    write(from, M::versions.last);
  }

 private:
  std::filesystem::path folder_;
};

const Uuid topic_id{{std::byte{1}, std::byte{2}}};

void write_data(RequestCorpus& corpus) {
  const Bytes records = as_bytes("not a batch, which nobody looks at here");
  corpus.write_first_and_last(ProduceRequest{
      .transactional_id = "t", .acks = -1, .topic_data = {{"orders", {{0, records}, {1, {}}}}}});
  ProduceResponse produced{.responses = {{"orders", {{.index = 1}, {.index = 2}}}}};
  produced.responses[0].partition_responses[0].current_leader = {1, 2};
  produced.responses[0].partition_responses[1].record_errors = {{3, "no key"}};
  produced.node_endpoints = {{1, "localhost", 9092, "rack"}};
  corpus.write_first_and_last(produced);
  FetchRequest fetch{.topics = {{"orders", topic_id, {{.partition = 1}, {.partition = 2}}}}};
  fetch.cluster_id = "cluster";
  fetch.replica_state = {1, 2};
  fetch.forgotten_topics_data = {{"payments", topic_id, {1, 2}}};
  corpus.write_first_and_last(fetch);
  FetchResponse::Partition fetched{.partition_index = 1, .diverging_epoch = {1, 2}};
  fetched.aborted_transactions = {{{1, 2}, {3, 4}}};
  fetched.records = records;
  corpus.write_first_and_last(FetchResponse{.responses = {{"orders", topic_id, {fetched}}}});
  corpus.write_first_and_last(
      ListOffsetsRequest{.topics = {{"orders", {{.partition_index = 1, .timestamp = -1}}}}});
}

void write_metadata(RequestCorpus& corpus) {
  MetadataRequest request;
  request.topics = {{{topic_id, "orders"}, {topic_id, "payments"}}};
  corpus.write_first_and_last(request);
  MetadataResponse response{.brokers = {{1, "localhost", 9092, "rack"}}, .cluster_id = "c"};
  response.topics = {{.name = "orders", .topic_id = topic_id}};
  response.topics[0].partitions = {{.replica_nodes = {1, 2}, .isr_nodes = {1}}};
  corpus.write_first_and_last(response);
  ApiVersionsResponse versions{.api_keys = {{ApiKey::fetch, 0, 16}, {ApiKey::produce, 0, 11}}};
  versions.supported_features = {{"metadata.version", 1, 20}};
  versions.finalized_features_epoch = 7;
  corpus.write_first_and_last(versions);
  CreateTopicsRequest topics{.topics = {{.name = "orders", .num_partitions = 4}}};
  topics.topics[0].assignments = {{0, {1, 2}}};
  topics.topics[0].configs = {{"cleanup.policy", "compact"}, {"retention.ms", std::nullopt}};
  corpus.write_first_and_last(topics);
}

void write_groups(RequestCorpus& corpus) {
  JoinGroupRequest join{.group_id = "billing", .member_id = "m", .group_instance_id = "i"};
  join.protocols = {{"range", as_bytes("subscription")}, {"roundrobin", as_bytes("another")}};
  corpus.write(join, 5);
  corpus.write_first_and_last(join);
  SyncGroupRequest sync{.group_id = "billing", .member_id = "m"};
  sync.assignments = {{"m", as_bytes("assignment")}};
  corpus.write_first_and_last(sync);
  OffsetCommitRequest commit{.group_id = "billing", .member_id = "m"};
  commit.topics = {{"orders", {{.partition_index = 1, .committed_offset = 9}}}};
  corpus.write_first_and_last(commit);
  OffsetFetchRequest fetch{.group_id = "billing"};
  fetch.topics = {{{"orders", {0, 1}}}};
  fetch.groups = {{.group_id = "billing"}};
  fetch.groups[0].topics = fetch.topics;
  corpus.write_first_and_last(fetch);
  TxnOffsetCommitRequest txn_commit{.transactional_id = "t", .group_id = "billing"};
  txn_commit.topics = {{"orders", {{.partition_index = 1, .committed_offset = 9}}}};
  corpus.write_first_and_last(txn_commit);
  LeaveGroupRequest leave{.group_id = "billing", .members = {{.member_id = "m"}}};
  corpus.write_first_and_last(leave);
}

}  // namespace

void write_requests(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  RequestCorpus corpus(folder);
  test::for_each_message([&]<typename M>() { corpus.write(M{}, M::versions.last); });
  write_data(corpus);
  write_metadata(corpus);
  write_groups(corpus);
}
