#pragma once
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>

#include "server/kafka/request.hpp"
#include "server/kafka/server_state.hpp"

/// What requests about settings have in common.
namespace millrace::inline v0::server {

enum class ConfigResource : std::int8_t { topic = 2, broker = 4 };
enum class ConfigSource : std::int8_t { of_topic = 1, of_start = 4, by_default = 5 };
enum class ConfigType : std::int8_t {
  boolean = 1,
  string = 2,
  int32 = 3,
  int64 = 5,
  float64 = 6,
  list = 7,
};

/// What Kafka says of a topic's setting besides its value.
struct TopicSetting {
  std::string_view name;
  ConfigType type;
  std::string_view broker_name;  ///< of the broker's setting that is its default
};
/// A setting that Kafka does not have is a string with no other name.
TopicSetting find_topic_setting(std::string_view name) noexcept;

/// Why an answer is not what was asked for.
struct Refusal {
  protocol::WireError code;
  std::string why;
};
Refusal refusal_of(const Error& error);
Refusal not_authorized(protocol::WireError code);
/// If the client may not do that with the settings of a resource.
std::optional<Refusal> check_access(const Request& request, Operation operation,
                                    ConfigResource type, const std::string& name);
/// If a broker that is named so is not this one, nor all of them.
std::optional<Refusal> check_broker_name(const std::string& name, const ServerState& state);
Refusal unknown_resource(std::int8_t type);

}  // namespace millrace::inline v0::server
