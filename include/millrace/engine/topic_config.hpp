#pragma once
#include <map>
#include <millrace/core/result.hpp>
#include <millrace/engine/flush_policy.hpp>
#include <millrace/storage/log_options.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::engine {

/// A topic's settings by name, as given: Kafka's topic configs, and those that begin with
/// "millrace.". What is not named has its default.
using ConfigMap = std::map<std::string, std::string, std::less<>>;

/// The settings, understood.
struct TopicConfig {
  storage::LogOptions log;
  FlushPolicyPtr flush;
  record::Codec compression = record::Codec::none;  ///< compression.type of our own producers
  bool compression_by_producer = true;
};

/// Checks and understands `settings`. invalid_argument names the setting, its value, what is
/// allowed and, for a name that does not exist, a similar one.
Result<TopicConfig> parse_topic_config(const ConfigMap& settings);

/// Makes `config` go by `policy`: when readers see a record and how it is written follow from it.
void set_policy(TopicConfig& config, FlushPolicyPtr policy);
/// Whether a setting names a part of the flush policy.
bool is_flush_setting(std::string_view name) noexcept;

/// One setting for people.
struct ConfigEntry {
  std::string name;
  std::string value;
  bool is_default = true;
  std::string_view help;
};
/// All settings with their values, in alphabetical order.
std::vector<ConfigEntry> describe_topic_config(const ConfigMap& settings);

/// The built-in flush policies.
FlushPolicyPtr flush_before_ack();
FlushPolicyPtr flush_by_os();
/// Flush after `records` appended records (0: not by count) and `interval` (0: not by time).
FlushPolicyPtr flush_every(std::int64_t records, std::chrono::nanoseconds interval);

}  // namespace millrace::inline v0::engine
