#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>
#include <millrace/engine/topic_config.hpp>
#include <millrace/record/compression.hpp>

namespace millrace::inline v0::engine {
namespace {

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

/// What is gathered before it can be put together.
struct Draft {
  TopicConfig config;
  std::string flush_policy = "before_ack";
  std::int64_t flush_messages = unlimited;
  std::int64_t flush_ms = unlimited;
  bool flush_named = false;
};

using Apply = std::function<Result<void>(Draft&, std::string_view)>;
/// What a setting takes; a number has bounds.
struct Values {
  Values(Apply any) : apply(std::move(any)) {}
  Values(Apply number, std::int64_t from, std::int64_t to)
      : apply(std::move(number)), is_number(true), least(from), most(to) {}

  Apply apply;
  bool is_number = false;
  std::int64_t least = 0;
  std::int64_t most = 0;
};
struct Setting {
  const char* name;
  const char* fallback;
  const char* help;
  Values takes;
};

Error refuse(std::string_view allowed) {
  return {Errc::invalid_argument, std::string(allowed)};
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename Set>
Values integer(std::int64_t least, std::int64_t most, Set set) {
  const auto apply = [=](Draft& draft, std::string_view text) -> Result<void> {
    const auto value = parse_number(text);
    if (!value || *value < least || *value > most) {
      return refuse(fmt::format("a whole number from {} to {}", least, most));
    }
    set(draft, *value);
    return {};
  };
  return {apply, least, most};
}

template <typename Set>
Apply boolean(Set set) {
  return [=](Draft& draft, std::string_view text) -> Result<void> {
    if (text != "true" && text != "false") return refuse("true or false");
    set(draft, text == "true");
    return {};
  };
}

Result<void> apply_cleanup_policy(Draft& draft, std::string_view text) {
  bool remove = false;
  bool compact = false;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view word = text.substr(at, comma - at);
    if (word == "delete") {
      remove = true;
    } else if (word == "compact") {
      compact = true;
    } else {
      return refuse("delete, compact, or both with a comma");
    }
    at = comma + 1;
  }
  draft.config.log.cleanup_delete = remove;
  draft.config.log.cleanup_compact = compact;
  return {};
}

Result<void> apply_compression(Draft& draft, std::string_view text) {
  const std::string_view name = text == "uncompressed" ? "none" : text;
  draft.config.compression_by_producer = text == "producer";
  if (draft.config.compression_by_producer) return {};
  const auto codec = record::parse_codec(name);
  if (!codec) return refuse("producer, uncompressed, gzip, snappy, lz4 or zstd");
  if (!record::codec_available(*codec)) {
    return refuse("a codec that this build has; " + std::string(name) +
                  " was not found when it was "
                  "configured");
  }
  draft.config.compression = *codec;
  return {};
}

Result<void> apply_ratio(Draft& draft, std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != '\0' || !(value >= 0 && value <= 1))
    return refuse("a number from 0 to 1");
  draft.config.log.min_cleanable_dirty_ratio = value;
  return {};
}

Result<void> apply_timestamp_type(Draft& draft, std::string_view text) {
  if (text != "CreateTime" && text != "LogAppendTime") return refuse("CreateTime or LogAppendTime");
  draft.config.log.timestamp_type = text == "CreateTime" ? record::TimestampType::create_time
                                                         : record::TimestampType::log_append_time;
  return {};
}

Result<void> apply_flush_policy(Draft& draft, std::string_view text) {
  if (text != "before_ack" && text != "every" && text != "by_os") {
    return refuse("before_ack, every or by_os");
  }
  draft.flush_policy = text;
  draft.flush_named = true;
  return {};
}

std::chrono::milliseconds as_ms(std::int64_t value) {
  return std::chrono::milliseconds(value);
}

const std::vector<Setting>& all_settings() {
  using D = Draft;
  constexpr std::int64_t int_max = std::numeric_limits<std::int32_t>::max();
  static const std::vector<Setting> table = {
      {"cleanup.policy", "delete", "delete old segments, compact by key, or both",
       Apply(apply_cleanup_policy)},
      {"compression.type", "producer", "codec that this process's producers use",
       Apply(apply_compression)},
      {"delete.retention.ms", "86400000", "how long a tombstone stays readable",
       integer(0, unlimited,
               [](D& d, std::int64_t v) { d.config.log.delete_retention = as_ms(v); })},
      {"file.delete.delay.ms", "0", "how long a removed segment's file stays on disk",
       integer(0, unlimited,
               [](D& d, std::int64_t v) { d.config.log.file_delete_delay = as_ms(v); })},
      {"flush.messages", "9223372036854775807", "flush after so many records",
       integer(1, unlimited, [](D& d, std::int64_t v) { d.flush_messages = v; })},
      {"flush.ms", "9223372036854775807", "flush at the latest after so long",
       integer(0, unlimited, [](D& d, std::int64_t v) { d.flush_ms = v; })},
      {"index.interval.bytes", "4096", "log bytes between two index entries",
       integer(0, int_max,
               [](D& d, std::int64_t v) {
                 d.config.log.index_interval_bytes = static_cast<std::uint32_t>(v);
               })},
      {"max.compaction.lag.ms", "9223372036854775807", "compact at the latest after so long",
       integer(1, unlimited,
               [](D& d, std::int64_t v) { d.config.log.max_compaction_lag = as_ms(v); })},
      {"max.message.bytes", "1048588", "largest record batch",
       integer(record::layout::header_bytes, int_max,
               [](D& d, std::int64_t v) {
                 d.config.log.max_message_bytes = static_cast<std::uint32_t>(v);
               })},
      {"message.timestamp.type", "CreateTime", "whose clock stamps a record",
       Apply(apply_timestamp_type)},
      {delayed_delivery_setting, "false",
       "show a record with the header millrace.deliver-at at that time",
       boolean([](D& d, bool v) { d.config.log.delayed_delivery = v; })},
      {"millrace.flush.policy", "before_ack",
       "when appended records are made durable; every goes by flush.messages and flush.ms",
       Apply(apply_flush_policy)},
      {"min.cleanable.dirty.ratio", "0.5", "share of uncleaned bytes that starts a compaction",
       Apply(apply_ratio)},
      {"min.compaction.lag.ms", "0", "how long a record is safe from compaction",
       integer(0, unlimited,
               [](D& d, std::int64_t v) { d.config.log.min_compaction_lag = as_ms(v); })},
      {"preallocate", "false", "reserve, zero and fault in whole segments ahead of use",
       boolean([](D& d, bool v) { d.config.log.preallocate = v; })},
      {"retention.bytes", "-1", "bytes of a partition to keep; -1: no limit",
       integer(-1, unlimited, [](D& d, std::int64_t v) { d.config.log.retention_bytes = v; })},
      {"retention.ms", "604800000", "age of records to keep; -1: for ever",
       integer(-1, unlimited, [](D& d, std::int64_t v) { d.config.log.retention_ms = as_ms(v); })},
      {"segment.bytes", "134217728", "size at which a segment is rolled",
       integer(storage::smallest_segment, storage::largest_segment,
               [](D& d, std::int64_t v) {
                 d.config.log.segment_bytes = static_cast<std::uint64_t>(v);
               })},
      {"segment.index.bytes", "10485760", "largest offset index",
       integer(24, 1 << 30,
               [](D& d, std::int64_t v) {
                 d.config.log.segment_index_bytes = static_cast<std::uint32_t>(v);
               })},
      {"segment.ms", "604800000", "age at which a segment is rolled",
       integer(1, unlimited, [](D& d, std::int64_t v) { d.config.log.segment_ms = as_ms(v); })},
  };
  return table;
}

/// What is not allowed together, though each setting is.
Result<void> check_together(const TopicConfig& config) {
  if (!config.log.delayed_delivery || !config.log.cleanup_compact) return {};
  return Error(Errc::invalid_argument,
               fmt::format("{}=true does not go together with cleanup.policy=compact, which would "
                           "remove records before they are delivered; use cleanup.policy=delete, "
                           "or keep the delayed records in a topic of their own",
                           delayed_delivery_setting));
}

std::size_t common_letters(std::string_view a, std::string_view b) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()) && a[i] == b[i]; ++i) ++n;
  return n;
}

Error unknown_setting(std::string_view name) {
  const auto& table = all_settings();
  const auto closest =
      std::max_element(table.begin(), table.end(), [&](const auto& a, const auto& b) {
        return common_letters(a.name, name) < common_letters(b.name, name);
      });
  return {Errc::invalid_argument,
          fmt::format("there is no topic setting \"{}\"; did you mean {}?", name, closest->name)};
}

void settle_flush(Draft& draft) {
  TopicConfig& config = draft.config;
  const bool has_numbers = draft.flush_messages != unlimited || draft.flush_ms != unlimited;
  std::string policy = draft.flush_policy;
  if (!draft.flush_named && has_numbers) policy = "every";
  if (policy == "every" && draft.flush_messages == 1) policy = "before_ack";
  if (policy == "before_ack") {
    config.use_flush(flush_before_ack());
  } else if (policy == "by_os" || !has_numbers) {
    config.use_flush(flush_by_os());
  } else {
    // As nanoseconds from now it has to fit a time; nobody sees the end of a hundred years.
    constexpr std::int64_t longest = std::chrono::milliseconds(std::chrono::years(100)).count();
    const std::int64_t ms =
        draft.flush_ms == unlimited ? 0 : std::clamp<std::int64_t>(draft.flush_ms, 1, longest);
    config.use_flush(flush_every(draft.flush_messages == unlimited ? 0 : draft.flush_messages,
                                 std::chrono::milliseconds(ms)));
  }
}

std::string usable_value(const Setting& setting, const std::string& value) {
  Draft draft;
  if (setting.takes.apply(draft, value)) return value;
  const auto number = setting.takes.is_number ? parse_number(value) : std::nullopt;
  if (!number) return setting.fallback;
  return std::to_string(std::clamp(*number, setting.takes.least, setting.takes.most));
}

}  // namespace

void TopicConfig::use_flush(FlushPolicyPtr policy) {
  flush = std::move(policy);
  log.visible_on_append = !flush->before_ack();
  log.write_path = flush->before_ack() ? storage::WritePath::write : storage::WritePath::mapped;
}

void change_settings(ConfigMap& settings, const ConfigMap& changes) {
  for (const auto& [setting, value] : changes) {
    if (value.empty()) {
      settings.erase(setting);
    } else {
      settings.insert_or_assign(setting, value);
    }
  }
}

Result<TopicConfig> parse_topic_config(const ConfigMap& settings) {
  const auto& table = all_settings();
  Draft draft;
  draft.config.log.file_delete_delay = {};
  for (const auto& [name, value] : settings) {
    const auto it = std::ranges::find(table, name, &Setting::name);
    if (it == table.end()) return unknown_setting(name);
    if (auto applied = it->takes.apply(draft, value); !applied) {
      return Error(Errc::invalid_argument,
                   fmt::format("topic setting {}={} is not valid: it takes {}", name, value,
                               applied.error().message()));
    }
  }
  settle_flush(draft);
  TopicConfig& config = draft.config;
  MILLRACE_CHECK(check_together(config));
  MILLRACE_CHECK(storage::check_options(config.log));
  return std::move(config);
}

ConfigMap usable_settings(const ConfigMap& stored) {
  ConfigMap usable;
  for (const Setting& s : all_settings()) {
    const auto it = stored.find(s.name);
    if (it != stored.end()) usable.emplace(s.name, usable_value(s, it->second));
  }
  if (!parse_topic_config(usable)) usable.erase(delayed_delivery_setting);
  return usable;
}

std::vector<ConfigEntry> describe_topic_config(const ConfigMap& settings) {
  std::vector<ConfigEntry> entries;
  for (const Setting& s : all_settings()) {
    const auto it = settings.find(s.name);
    const bool is_default = it == settings.end();
    entries.push_back(
        {s.name, is_default ? s.fallback : usable_value(s, it->second), is_default, s.help});
  }
  return entries;
}

}  // namespace millrace::inline v0::engine
