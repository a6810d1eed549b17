#include "server/kafka/config_resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <millrace/server/broker_settings.hpp>

#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using enum ConfigType;

constexpr std::array settings = {
    TopicSetting{"cleanup.policy", list, "log.cleanup.policy"},
    TopicSetting{"compression.type", string, "compression.type"},
    TopicSetting{"delete.retention.ms", int64, "log.cleaner.delete.retention.ms"},
    TopicSetting{"file.delete.delay.ms", int64, "log.segment.delete.delay.ms"},
    TopicSetting{"flush.messages", int64, "log.flush.interval.messages"},
    TopicSetting{"flush.ms", int64, "log.flush.interval.ms"},
    TopicSetting{"index.interval.bytes", int32, "log.index.interval.bytes"},
    TopicSetting{"max.compaction.lag.ms", int64, "log.cleaner.max.compaction.lag.ms"},
    TopicSetting{"max.message.bytes", int32, "message.max.bytes"},
    TopicSetting{"message.timestamp.type", string, "log.message.timestamp.type"},
    TopicSetting{"millrace.delayed.delivery", boolean, "millrace.delayed.delivery"},
    TopicSetting{"min.cleanable.dirty.ratio", float64, "log.cleaner.min.cleanable.ratio"},
    TopicSetting{"min.compaction.lag.ms", int64, "log.cleaner.min.compaction.lag.ms"},
    TopicSetting{"preallocate", boolean, "log.preallocate"},
    TopicSetting{"retention.bytes", int64, "log.retention.bytes"},
    TopicSetting{"retention.ms", int64, "log.retention.ms"},
    TopicSetting{"segment.bytes", int32, "log.segment.bytes"},
    TopicSetting{"segment.index.bytes", int32, "log.index.size.max.bytes"},
    TopicSetting{"segment.ms", int64, "log.roll.ms"},
};

}  // namespace

TopicSetting find_topic_setting(std::string_view name) noexcept {
  const auto found = std::ranges::find(settings, name, &TopicSetting::name);
  return found != settings.end() ? *found : TopicSetting{name, string, name};
}

std::string_view broker_setting_name(std::string_view name) noexcept {
  return find_topic_setting(name).broker_name;
}

Refusal refusal_of(const Error& error) {
  const bool is_setting = error.code() == Errc::invalid_argument;
  return {is_setting ? protocol::WireError::invalid_config : to_wire(error.code()),
          error.message()};
}

Refusal not_authorized(protocol::WireError code) {
  return {code, "no rule allows it"};
}

std::optional<Refusal> check_access(const Request& request, Operation operation,
                                    ConfigResource type, const std::string& name) {
  using protocol::WireError;
  if (type == ConfigResource::broker && !request.may_cluster(operation)) {
    return not_authorized(WireError::cluster_authorization_failed);
  }
  if (type == ConfigResource::topic && !request.may_topic(operation, name)) {
    return not_authorized(WireError::topic_authorization_failed);
  }
  return std::nullopt;
}

std::optional<Refusal> check_broker_name(const std::string& name, const ServerState& state) {
  const std::string here = std::to_string(state.options().node_id);
  if (name.empty() || name == here) return std::nullopt;
  return Refusal{protocol::WireError::invalid_request,
                 fmt::format("there is no broker '{}'; this one is {}", name, here)};
}

Refusal unknown_resource(std::int8_t type) {
  return {protocol::WireError::invalid_request,
          fmt::format("there are no settings of resources of type {}; topics (2) and brokers (4) "
                      "have some",
                      type)};
}

}  // namespace millrace::inline v0::server
