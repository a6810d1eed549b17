#include <fmt/format.h>

#include <millrace/client/cluster.hpp>
#include <millrace/client/errors.hpp>
#include <millrace/client/patience.hpp>
#include <millrace/protocol/messages/find_coordinator.hpp>

namespace millrace::inline v0::client {

using namespace protocol;

namespace {

std::string address_of(const std::string& host, std::int32_t port) {
  return transport::PeerAddress{.host = host, .port = std::to_string(port)}.text();
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::connect(const std::string& addresses,
                                                  const ConnectionOptions& options) {
  std::optional<Error> failed;
  for (std::size_t begin = 0; begin <= addresses.size();) {
    const std::size_t comma = std::min(addresses.find(',', begin), addresses.size());
    const std::string address = addresses.substr(begin, comma - begin);
    auto connection = Connection::open(address, options);
    if (connection) {
      return std::unique_ptr<Cluster>(
          new Cluster(*std::move(connection), options, address.starts_with("unix:")));
    }
    failed = connection.error();
    begin = comma + 1;
  }
  return *failed;
}

void Cluster::note(const MetadataResponse& metadata) {
  controller_ = metadata.controller_id;
  for (const auto& broker : metadata.brokers) {
    addresses_[broker.node_id] = address_of(broker.host, broker.port);
  }
}

Result<MetadataResponse> Cluster::metadata(const std::optional<std::vector<std::string>>& topics) {
  MetadataRequest request{.allow_auto_topic_creation = false};
  request.topics.reset();
  if (topics) {
    request.topics.emplace();
    for (const auto& name : *topics) request.topics->push_back({.name = name});
  }
  MILLRACE_TRY(auto response, any().call<MetadataResponse>(request));
  note(response);
  return response;
}

Result<MetadataResponse::Topic> Cluster::topic(const std::string& name) {
  MILLRACE_TRY(auto response, metadata(std::vector{name}));
  if (response.topics.size() != 1) {
    return Error(Errc::corrupt_data, fmt::format("{} says nothing of topic {}, which it was asked "
                                                 "for",
                                                 any().address(), name));
  }
  auto& topic = response.topics.front();
  if (topic.error_code == WireError::unknown_topic_or_partition) {
    return Error(Errc::unknown_topic,
                 fmt::format("there is no topic {} at {}", name, any().address()))
        .at(name, -1);
  }
  MILLRACE_CHECK(check(fmt::format("looking up topic {}", name), topic.error_code));
  return std::move(topic);
}

Result<Connection*> Cluster::node(std::int32_t id) {
  if (is_local_) return bootstrap_.get();
  auto& connection = nodes_[id];
  if (connection == nullptr) {
    if (!addresses_.contains(id)) MILLRACE_CHECK(metadata(std::vector<std::string>()));
    const auto found = addresses_.find(id);
    if (found == addresses_.end()) {
      return Error(Errc::io_error, fmt::format("{} does not say where broker {} is; it may be down",
                                               any().address(), id));
    }
    MILLRACE_TRY(connection, Connection::open(found->second, options_));
  }
  return connection.get();
}

Result<Connection*> Cluster::controller() {
  if (controller_ < 0) MILLRACE_CHECK(metadata(std::vector<std::string>()));
  return node(controller_);
}

Result<Connection*> Cluster::leader_of(const MetadataResponse::Topic& topic,
                                       std::int32_t partition) {
  for (const auto& one : topic.partitions) {
    if (one.partition_index != partition) continue;
    if (one.leader_id >= 0) return node(one.leader_id);
    return Error(Errc::io_error, "no broker leads it at the moment; try again when one is back")
        .at(topic.name.value_or(""), partition);
  }
  return Error(Errc::unknown_partition, fmt::format("there is no partition {}; the topic has {}",
                                                    partition, topic.partitions.size()))
      .at(topic.name.value_or(""), -1);
}

Result<Connection*> Cluster::coordinator(CoordinatorOf what, const std::string& key) {
  constexpr ApiVersion last_with_one_key = 3;
  const FindCoordinatorRequest request{.key = key, .key_type = static_cast<std::int8_t>(what)};
  MILLRACE_TRY(const auto found, ask_patiently({}, [&] {
                 return any().call<FindCoordinatorResponse>(request, last_with_one_key);
               }));
  MILLRACE_CHECK(
      check(fmt::format("finding the coordinator of {} {}",
                        what == CoordinatorOf::group ? "group" : "transactional id", key),
            found.error_code, found.error_message));
  addresses_[found.node_id] = address_of(found.host, found.port);
  return node(found.node_id);
}

void Cluster::drop(const Connection* connection) {
  std::erase_if(nodes_, [&](const auto& one) { return one.second.get() == connection; });
}

}  // namespace millrace::inline v0::client
