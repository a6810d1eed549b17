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

/// Whether records may ask to be seen later. Not together with compaction, and it stays what it is
/// while there are records: it would change what readers have seen of them.
inline constexpr const char* delayed_delivery_setting = "millrace.delayed.delivery";

/// The settings, understood.
struct TopicConfig {
  storage::LogOptions log;
  FlushPolicyPtr flush;
  record::Codec compression = record::Codec::none;  ///< compression.type of our own producers
  bool compression_by_producer = true;

  /// Sets `flush`, and in `log` what follows from it.
  void use_flush(FlushPolicyPtr policy);
};

/// Sets what `changes` name; an empty value resets to the default.
void change_settings(ConfigMap& settings, const ConfigMap& changes);

/// Checks and understands `settings`. invalid_argument names the setting, its value, what is
/// allowed and, for a name that does not exist, a similar one.
Result<TopicConfig> parse_topic_config(const ConfigMap& settings);

/// `stored`, made such that parse_topic_config() takes it: a number outside its range becomes the
/// nearest inside, another value that is not understood the default; unknown names are left out.
/// For what a data directory holds, which another version may have written.
ConfigMap usable_settings(const ConfigMap& stored);

/// One setting for people.
struct ConfigEntry {
  std::string name;
  std::string value;
  bool is_default = true;
  std::string_view help;
};
/// All settings with the values that hold (see usable_settings), in alphabetical order.
std::vector<ConfigEntry> describe_topic_config(const ConfigMap& settings);

/// The built-in flush policies.
FlushPolicyPtr flush_before_ack();
FlushPolicyPtr flush_by_os();
/// Flush after `records` appended records (0: not by count) and `interval` (0: not by time).
FlushPolicyPtr flush_every(std::int64_t records, std::chrono::nanoseconds interval);

}  // namespace millrace::inline v0::engine
