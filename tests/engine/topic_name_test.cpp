#include <millrace/engine/topic_name.hpp>

#include "catch.hpp"

namespace engine = millrace::engine;

TEST_CASE("directories of partitions split at the last dash") {
  CHECK(engine::partition_directory("a-b", 12) == "a-b-12");
  CHECK(engine::parse_partition_directory("a-b-12") == std::pair<std::string, int>("a-b", 12));
  for (const char* name : {"", "-1", "a", "a-", "a-b", "a--1x", "a-1x", "a b-1"}) {
    INFO(name);
    CHECK_FALSE(engine::parse_partition_directory(name));
  }
}

TEST_CASE("names collide when only '.' and '_' differ") {
  CHECK(engine::names_collide("a.b", "a_b"));
  CHECK_FALSE(engine::names_collide("a.b", "a.b"));
  CHECK_FALSE(engine::names_collide("a.b", "a-b"));
  CHECK_FALSE(engine::names_collide("a.b", "a_bc"));
}
