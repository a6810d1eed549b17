#include <millrace/engine/topic_config.hpp>
#include <millrace/storage/log_options.hpp>

#include "catch.hpp"

using namespace millrace;
using Catch::Matchers::Contains;
using engine::ConfigMap;
using engine::parse_topic_config;

namespace {

const std::string most = "9223372036854775807";

/// "" if the setting is taken, else what it says it takes.
std::string refusal(const std::string& name, const std::string& value) {
  const auto parsed = parse_topic_config({{name, value}});
  if (parsed) return {};
  CHECK(parsed.error().code() == Errc::invalid_argument);
  return parsed.error().message();
}

}  // namespace

TEST_CASE("without settings a topic has the defaults that are shown", "[engine][config]") {
  const auto none = parse_topic_config({}).value();
  ConfigMap shown;
  std::string before;
  for (const auto& entry : engine::describe_topic_config({})) {
    CHECK(entry.is_default);
    CHECK_FALSE(entry.help.empty());
    CHECK(before < entry.name);
    before = entry.name;
    shown[entry.name] = entry.value;
  }
  const auto named = parse_topic_config(shown).value();
  CHECK(named.log.segment_bytes == none.log.segment_bytes);
  CHECK(named.log.segment_ms == none.log.segment_ms);
  CHECK(named.log.segment_index_bytes == none.log.segment_index_bytes);
  CHECK(named.log.index_interval_bytes == none.log.index_interval_bytes);
  CHECK(named.log.max_message_bytes == none.log.max_message_bytes);
  CHECK(named.log.retention_ms == none.log.retention_ms);
  CHECK(named.log.retention_bytes == none.log.retention_bytes);
  CHECK(named.log.file_delete_delay == none.log.file_delete_delay);
  CHECK(named.log.delete_retention == none.log.delete_retention);
  CHECK(named.log.max_compaction_lag == none.log.max_compaction_lag);
  CHECK(named.log.min_cleanable_dirty_ratio == none.log.min_cleanable_dirty_ratio);
  CHECK(named.log.cleanup_delete);
  CHECK_FALSE(named.log.cleanup_compact);
  CHECK(named.compression_by_producer);
  CHECK(named.flush->before_ack());
}

TEST_CASE("what is set is shown as set", "[engine][config]") {
  for (const auto& entry : engine::describe_topic_config({{"retention.ms", "604800000"}})) {
    CHECK(entry.is_default == (entry.name != "retention.ms"));
  }
}

TEST_CASE("whatever a setting takes, a log can be opened with", "[engine][config]") {
  for (const auto& entry : engine::describe_topic_config({})) {
    for (const std::string value :
         {"-1", "0", "1", "13", "14", "16", "23", "60", "100", "2147483647", most.c_str()}) {
      const auto parsed = parse_topic_config({{entry.name, value}});
      if (!parsed) continue;
      INFO(entry.name << "=" << value);
      CHECK(storage::check_options(parsed->log));
    }
  }
}

TEST_CASE("numbers are taken up to their ends and no further", "[engine][config]") {
  struct Range {
    const char* name;
    const char* least;
    const char* below;
    const char* most;
    const char* above;
  };
  const std::string far = "9223372036854775808";
  for (const Range& range : {Range{"segment.bytes", "1024", "1023", "2147483647", "2147483648"},
                             Range{"segment.index.bytes", "24", "23", "1073741824", "1073741825"},
                             Range{"max.message.bytes", "61", "60", "2147483647", "2147483648"},
                             Range{"index.interval.bytes", "0", "-1", "2147483647", "2147483648"},
                             Range{"retention.ms", "-1", "-2", most.c_str(), far.c_str()},
                             Range{"retention.bytes", "-1", "-2", most.c_str(), far.c_str()},
                             Range{"segment.ms", "1", "0", most.c_str(), far.c_str()},
                             Range{"flush.messages", "1", "0", most.c_str(), far.c_str()}}) {
    INFO(range.name);
    CHECK(refusal(range.name, range.least) == "");
    CHECK(refusal(range.name, range.most) == "");
    const std::string allowed = std::string("from ") + range.least + " to " + range.most;
    CHECK_THAT(refusal(range.name, range.below), Contains(allowed) && Contains(range.name));
    CHECK_THAT(refusal(range.name, range.above), Contains(allowed) && Contains(range.above));
  }
  for (const char* text : {"", " 1", "1 ", "+1", "1k", "0x10", "1.0"}) {
    CHECK_THAT(refusal("retention.ms", text), Contains("a whole number"));
  }
}

TEST_CASE("a ratio, a truth, a word each say what they take", "[engine][config]") {
  CHECK(refusal("min.cleanable.dirty.ratio", "0") == "");
  CHECK(refusal("min.cleanable.dirty.ratio", "1") == "");
  for (const char* text : {"", "1.01", "-0.1", "nan", "half", "0.5x"}) {
    CHECK_THAT(refusal("min.cleanable.dirty.ratio", text), Contains("from 0 to 1"));
  }
  CHECK_THAT(refusal("preallocate", "True"), Contains("true or false"));
  CHECK_THAT(refusal("millrace.flush.policy", "always"), Contains("before_ack, every or by_os"));
  CHECK_THAT(refusal("message.timestamp.type", "Now"), Contains("CreateTime or LogAppendTime"));
  CHECK_THAT(refusal("compression.type", "rar"), Contains("zstd"));
}

TEST_CASE("a cleanup policy is one or both words", "[engine][config]") {
  const auto policy = [](const char* text) {
    const auto log = parse_topic_config({{"cleanup.policy", text}}).value().log;
    return std::pair(log.cleanup_delete, log.cleanup_compact);
  };
  CHECK(policy("delete") == std::pair(true, false));
  CHECK(policy("compact") == std::pair(false, true));
  CHECK(policy("compact,delete") == std::pair(true, true));
  CHECK(policy("delete,compact") == std::pair(true, true));
  for (const char* text : {"", ",", "compact,", "compact, delete", "none"}) {
    CHECK_THAT(refusal("cleanup.policy", text), Contains("delete, compact, or both"));
  }
}

TEST_CASE("a setting that does not exist is told a similar one", "[engine][config]") {
  CHECK_THAT(refusal("retention.msec", "1"),
             Contains("\"retention.msec\"") && Contains("did you mean retention.ms?"));
  CHECK_THAT(refusal("", "1"), Contains("there is no topic setting"));
}

TEST_CASE("the flush settings make one policy", "[engine][config]") {
  const auto policy = [](const ConfigMap& settings) {
    return parse_topic_config(settings).value().flush;
  };
  SECTION("numbers alone make it every") {
    const auto flush = policy({{"flush.messages", "5"}, {"flush.ms", "20"}});
    CHECK_FALSE(flush->before_ack());
    CHECK_FALSE(flush->due({4}));
    CHECK(flush->due({5}));
    CHECK(flush->interval() == std::chrono::milliseconds(20));
  }
  SECTION("every record is before_ack, by Kafka's words") {
    CHECK(policy({{"flush.messages", "1"}})->before_ack());
  }
  SECTION("a named policy counts more than numbers") {
    const auto flush = policy({{"millrace.flush.policy", "by_os"}, {"flush.messages", "5"}});
    CHECK_FALSE(flush->before_ack());
    CHECK_FALSE(flush->due({1'000'000}));
    CHECK_FALSE(flush->interval());
    CHECK(policy({{"millrace.flush.policy", "before_ack"}, {"flush.ms", "5"}})->before_ack());
  }
  SECTION("every without numbers is never") {
    CHECK_FALSE(policy({{"millrace.flush.policy", "every"}})->interval());
  }
  SECTION("a time is above 0, and does not wrap however long") {
    CHECK(policy({{"flush.ms", "0"}})->interval() == std::chrono::milliseconds(1));
    for (const char* text : {"9223372036854775806", "9223372036855", "99999999999999"}) {
      CHECK(policy({{"flush.ms", text}})->interval() == std::chrono::years(100));
    }
  }
}

TEST_CASE("what readers see and how records are written follow from the policy",
          "[engine][config]") {
  auto config = parse_topic_config({}).value();
  CHECK_FALSE(config.log.visible_on_append);
  CHECK(config.log.write_path == storage::WritePath::write);
  config.use_flush(engine::flush_by_os());
  CHECK(config.log.visible_on_append);
  CHECK(config.log.write_path == storage::WritePath::mapped);
  config.use_flush(engine::flush_before_ack());
  CHECK_FALSE(config.log.visible_on_append);
  CHECK(config.log.write_path == storage::WritePath::write);
}

TEST_CASE("what is stored and not understood is read as the nearest that is") {
  const ConfigMap stored = {{"segment.bytes", "500"},      {"max.message.bytes", "99999999999"},
                            {"retention.ms", "1000"},      {"cleanup.policy", "shred"},
                            {"segment.index.bytes", "x9"}, {"of.a.later.version", "1"}};
  CHECK_FALSE(engine::parse_topic_config(stored));
  const ConfigMap usable = engine::usable_settings(stored);
  CHECK(usable == ConfigMap{{"segment.bytes", "1024"},
                            {"max.message.bytes", "2147483647"},
                            {"retention.ms", "1000"},
                            {"cleanup.policy", "delete"},
                            {"segment.index.bytes", "10485760"}});
  CHECK(engine::parse_topic_config(usable));
  for (const auto& setting : engine::describe_topic_config(stored)) {
    INFO(setting.name);
    if (usable.contains(setting.name)) CHECK(setting.value == usable.at(setting.name));
  }
}

TEST_CASE("delayed delivery gives way to compaction in what is stored", "[engine][config]") {
  const ConfigMap both = {{"cleanup.policy", "compact"}, {"millrace.delayed.delivery", "true"}};
  CHECK_FALSE(parse_topic_config(both));
  const auto usable = parse_topic_config(engine::usable_settings(both)).value();
  CHECK(usable.log.cleanup_compact);
  CHECK_FALSE(usable.log.delayed_delivery);
  CHECK(parse_topic_config({{"millrace.delayed.delivery", "true"}}).value().log.delayed_delivery);
  CHECK_FALSE(parse_topic_config({}).value().log.delayed_delivery);
}
