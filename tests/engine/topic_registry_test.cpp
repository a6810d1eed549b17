#include <millrace/engine/topic_registry.hpp>
#include <set>

#include "catch.hpp"

namespace engine = millrace::engine;
namespace registry = millrace::engine::registry;

TEST_CASE("topics survive a round trip, whatever their settings hold") {
  const auto directory = millrace::os::make_memory_directory();
  const std::vector<engine::TopicEntry> topics = {
      {"a", 1, registry::make_uuid(), {}},
      {"b-c.d", 17, registry::make_uuid(), {{"x", "with space"}, {"y", "50% = \n half"}}}};
  registry::save_topics(directory, topics).value();
  const auto loaded = registry::load_topics(directory).value();
  REQUIRE(loaded.size() == 2);
  CHECK(loaded[1].name == "b-c.d");
  CHECK(loaded[1].partitions == 17);
  CHECK(loaded[1].id == topics[1].id);
  CHECK(loaded[1].config == topics[1].config);
}

TEST_CASE("damaged lists are refused") {
  const auto directory = millrace::os::make_memory_directory();
  for (const char* text : {"", "0\n1\n", "0\n1\na 1\n", "0\n1\na zero id\n", "1\n0\n",
                           "0\n1\na 1 id x\n", "0\n1\na 1 id x=%zz\n", "0\n2\na 1 id\n"}) {
    INFO(text);
    directory->replace_file(registry::topics_file, text).value();
    const auto loaded = registry::load_topics(directory);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code() == millrace::Errc::corrupt_data);
  }
}

TEST_CASE("ids are 22 characters of base64 and differ") {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const std::string id = registry::make_uuid();
    CHECK(id.size() == 22);
    CHECK(std::string("AQgw").find(id.back()) != std::string::npos);
    ids.insert(id);
  }
  CHECK(ids.size() == 100);
}
