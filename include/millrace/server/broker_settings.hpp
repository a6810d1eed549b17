#pragma once
#include <string_view>

namespace millrace::inline v0::server {

/// Kafka's name of the broker's setting that is the default of a topic's, e.g. "log.retention.ms"
/// of "retention.ms". What Kafka does not have is called the same there. Valid as long as `name`.
std::string_view broker_setting_name(std::string_view name) noexcept;

}  // namespace millrace::inline v0::server
