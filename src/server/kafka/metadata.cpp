#include <algorithm>
#include <millrace/engine/topic_name.hpp>
#include <millrace/server/topics.hpp>

#include "server/kafka/handlers.hpp"
#include "server/kafka/operations.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;

MetadataResponse::Topic describe(const engine::TopicCore& topic, std::int32_t node) {
  MetadataResponse::Topic answer;
  answer.name = topic.entry.name;
  answer.topic_id = parse_uuid(topic.entry.id);
  answer.is_internal = engine::is_internal_topic(topic.entry.name);
  for (std::int32_t id = 0; id < topic.entry.partitions; ++id) {
    answer.partitions.push_back({.partition_index = id,
                                 .leader_id = node,
                                 .leader_epoch = only_leader_epoch,
                                 .replica_nodes = {node},
                                 .isr_nodes = {node}});
  }
  return answer;
}

class Describer {
 public:
  Describer(const MetadataRequest& message, const Request& request)
      : message_(message), request_(request), state_(request.state()) {}

  std::vector<MetadataResponse::Topic> topics() {
    // In v0 no names are all topics.
    if (!message_.topics || (request_.version() == 0 && message_.topics->empty())) return all();
    std::vector<MetadataResponse::Topic> answers;
    for (const auto& wanted : *message_.topics) {
      answers.push_back(wanted.name ? named(*wanted.name) : identified(wanted.topic_id));
    }
    return answers;
  }

 private:
  std::vector<MetadataResponse::Topic> all() {
    std::vector<MetadataResponse::Topic> answers;
    if (const auto topics = state_.broker().topics()) {
      for (const auto& topic : *topics) {
        if (may(Operation::describe, topic->entry.name)) answers.push_back(describe_one(*topic));
      }
    }
    return answers;
  }
  MetadataResponse::Topic named(const std::string& name) {
    const MetadataResponse::Topic refused{.error_code = WireError::topic_authorization_failed,
                                          .name = name};
    if (!may(Operation::describe, name)) return refused;
    auto topic = state_.topic(name);
    if (!topic && topic.error().code() == Errc::unknown_topic && creates()) {
      if (!request_.may_cluster(Operation::create) && !may(Operation::create, name)) return refused;
      topic = create(name);
    }
    if (topic) return describe_one(**topic);
    return {.error_code = to_wire(topic), .name = name};
  }
  MetadataResponse::Topic identified(const Uuid& id) {
    const auto topic = state_.topic_of(id);
    if (topic && may(Operation::describe, (*topic)->entry.name)) return describe_one(**topic);
    return {.error_code = WireError::unknown_topic_id, .name = std::nullopt, .topic_id = id};
  }
  Result<engine::TopicPtr> create(const std::string& name) {
    auto made = create_topic(state_.broker(), name, state_.options().default_partitions,
                             state_.options().topic_defaults);
    if (!made && made.error().code() == Errc::topic_exists) return state_.broker().topic(name);
    return made;
  }
  MetadataResponse::Topic describe_one(const engine::TopicCore& topic) const {
    auto answer = describe(topic, node());
    if (message_.include_topic_authorized_operations) {
      answer.topic_authorized_operations = topic_operations(request_, topic.entry.name);
    }
    return answer;
  }
  bool may(Operation operation, const std::string& name) const {
    return request_.may_topic(operation, name);
  }
  bool creates() const {
    constexpr ApiVersion first_to_ask = 4;
    return state_.options().auto_create_topics &&
           (request_.version() < first_to_ask || message_.allow_auto_topic_creation);
  }
  std::int32_t node() const { return state_.options().node_id; }

  const MetadataRequest& message_;
  const Request& request_;
  ServerState& state_;
};

}  // namespace

MetadataResponse metadata(const MetadataRequest& message, const Request& request) {
  const ServerState& state = request.state();
  const NodeEndpoint here = endpoint_of(request);
  MetadataResponse response;
  response.brokers.push_back({.node_id = here.node_id, .host = here.host, .port = here.port});
  response.cluster_id = state.cluster_id();
  response.controller_id = here.node_id;
  response.topics = Describer(message, request).topics();
  if (message.include_cluster_authorized_operations) {
    response.cluster_authorized_operations = cluster_operations(request);
  }
  return response;
}

NodeEndpoint endpoint_of(const Request& request) {
  const KafkaServerOptions& options = request.state().options();
  const transport::Peer& peer = request.client().peer;
  return {.node_id = options.node_id,
          .host = options.advertised_host.value_or(peer.is_local ? "localhost" : peer.reached_host),
          .port = options.advertised_port.value_or(peer.reached_port)};
}

}  // namespace millrace::inline v0::server
