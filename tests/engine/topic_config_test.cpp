#include <millrace/engine/topic_config.hpp>

#include "catch.hpp"

using namespace millrace;
using Catch::Matchers::Contains;
using engine::ConfigMap;

TEST_CASE("settings that are accepted are ones that a log works with") {
  for (const auto& setting : engine::describe_topic_config({})) {
    for (const char* value : {"-1", "0", "1", "14", "16", "23", "24", "60", "61", "500", "1023",
                              "1024", "1073741824", "1073741825", "2147483647"}) {
      INFO(setting.name << "=" << value);
      const auto parsed = engine::parse_topic_config({{setting.name, value}});
      if (parsed) {
        CHECK(storage::check_options(parsed->log));
      } else {
        CHECK_THAT(parsed.error().message(), Contains(setting.name + "=" + value));
      }
    }
  }
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
