#pragma once
#include <map>
#include <memory>
#include <millrace/client/connection.hpp>
#include <millrace/protocol/messages/metadata.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::client {

/// The brokers behind an address, each with one connection that is made when it is needed. Through
/// a Unix socket there is one broker, whatever it says of itself. Blocking, for one thread; what it
/// gives out is its own.
class Cluster {
 public:
  /// `addresses` is one or more of HOST:PORT, with commas between, of which one must answer. The
  /// errors of Connection::open(), of the last one tried.
  static Result<std::unique_ptr<Cluster>> connect(const std::string& addresses,
                                                  const ConnectionOptions& options = {});

  /// The one that answered first; it serves what any broker does.
  Connection& any() noexcept { return *bootstrap_; }
  /// Asks anew. Null is all topics. Topics that are not there are not made, and have their error.
  Result<protocol::MetadataResponse> metadata(
      const std::optional<std::vector<std::string>>& topics);
  /// One topic; unknown_topic if it is not there.
  Result<protocol::MetadataResponse::Topic> topic(const std::string& name);
  /// io_error if no broker leads it now.
  Result<Connection*> leader_of(const protocol::MetadataResponse::Topic& topic,
                                std::int32_t partition);
  Result<Connection*> controller();
  Result<Connection*> node(std::int32_t id);

  enum class CoordinatorOf : std::int8_t { group = 0, transaction = 1 };
  /// Waits, up to some seconds, for one that is being made. The refusals of the broker.
  Result<Connection*> coordinator(CoordinatorOf what, const std::string& key);
  /// Lets go of a connection that is of no use any more.
  void drop(const Connection* connection);

 private:
  Cluster(std::unique_ptr<Connection> bootstrap, ConnectionOptions options, bool is_local)
      : options_(std::move(options)), bootstrap_(std::move(bootstrap)), is_local_(is_local) {}
  void note(const protocol::MetadataResponse& metadata);

  const ConnectionOptions options_;
  std::unique_ptr<Connection> bootstrap_;
  const bool is_local_;
  std::map<std::int32_t, std::string> addresses_;
  std::map<std::int32_t, std::unique_ptr<Connection>> nodes_;
  std::int32_t controller_ = -1;
};

}  // namespace millrace::inline v0::client
