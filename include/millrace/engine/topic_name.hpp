#pragma once
#include <millrace/core/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::inline v0::engine {

/// Kafka's rules for topic names: 1 to 249 characters of [a-zA-Z0-9._-], not "." or "..".
/// invalid_topic, saying which rule is broken.
Result<void> check_topic_name(std::string_view name);

/// Whether it is a coordinator's, which patterns never match: `__consumer_offsets`,
/// `__transaction_state`.
bool is_internal_topic(std::string_view name) noexcept;

/// Whether two different names would collide in Kafka's metrics, where "." and "_" are the same.
bool names_collide(std::string_view a, std::string_view b) noexcept;

/// `orders-3` for partition 3 of "orders", and back: split at the last dash.
std::string partition_directory(std::string_view topic, PartitionId partition);
std::optional<std::pair<std::string, PartitionId>> parse_partition_directory(std::string_view name);

}  // namespace millrace::inline v0::engine
