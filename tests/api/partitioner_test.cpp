#include <millrace/partitioner.hpp>
#include <set>

#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

namespace partitioner = millrace::partitioner;

TEST_CASE("murmur2 is the Java client's") {
  const auto vectors = millrace::test::load_vectors("murmur2.json");
  const auto route = partitioner::murmur2();
  REQUIRE_FALSE(vectors["vectors"].empty());
  for (const auto& vector : vectors["vectors"]) {
    const auto key = millrace::test::from_hex(vector["key_hex"].get<std::string>());
    INFO(vector["key_hex"]);
    CHECK(partitioner::murmur2_hash(key) == vector["murmur2_int32"].get<std::int32_t>());
    for (const int n : {3, 12, 100}) {
      CHECK(route({millrace::Bytes(key), {}, n, 0}) ==
            vector["partition_of_" + std::to_string(n)].get<int>());
    }
  }
}

TEST_CASE("records without a key stay on a partition for a batch's worth of bytes") {
  for (const auto& route : {partitioner::murmur2(), partitioner::sticky()}) {
    const std::string value(100, 'x');
    const millrace::RouteInput input{std::nullopt, millrace::as_bytes(value), 8, 1000};
    std::set<int> seen;
    for (int batch = 0; batch < 400; ++batch) {  // missing one by chance: 1 in 10^22
      const int first = route(input);
      seen.insert(first);
      for (int i = 1; i < 10; ++i) REQUIRE(route(input) == first);
    }
    CHECK(seen.size() == 8);
  }
}

TEST_CASE("round robin goes round, random is repeatable by seed") {
  const auto round = partitioner::round_robin();
  for (int i = 0; i < 10; ++i) CHECK(round({std::nullopt, {}, 4, 0}) == i % 4);
  const auto a = partitioner::random(7);
  const auto b = partitioner::random(7);
  std::set<int> seen;
  for (int i = 0; i < 200; ++i) {
    const int choice = a({std::nullopt, {}, 5, 0});
    CHECK(choice == b({std::nullopt, {}, 5, 0}));
    seen.insert(choice);
  }
  CHECK(seen == std::set<int>{0, 1, 2, 3, 4});
}
