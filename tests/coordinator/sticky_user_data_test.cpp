#include <millrace/coordinator/sticky_user_data.hpp>

#include "catch.hpp"
#include "support/bytes.hpp"

using namespace millrace;
using namespace millrace::coordinator;
using millrace::test::from_hex;
using millrace::test::to_hex;

namespace {

using Partitions = std::vector<TopicPartition>;

// As Kafka's StickyAssignor writes them: topics with their partitions, then the generation.
const std::string partitions_hex =
    "00000002"
    "0001620000000200000005"
    "00000003"
    "0001610000000100000000";
const Partitions owned{{"b", 5}, {"b", 3}, {"a", 0}};

MemberSubscription read(const std::string& user_data_hex, std::string_view assignor,
                        std::optional<std::int32_t> generation_id = {}) {
  Subscription subscription{{"a"}, from_hex(user_data_hex), {{"a", 9}}, generation_id, {}};
  return to_member("m", "i", subscription, assignor);
}

}  // namespace

TEST_CASE("user data of the sticky assignors is Kafka's", "[coordinator]") {
  CHECK(to_hex(**user_data_for("sticky", owned, 7)) == partitions_hex + "00000007");
  CHECK(to_hex(**user_data_for("sticky", {}, std::nullopt)) == "00000000ffffffff");
  CHECK(to_hex(**user_data_for("cooperative-sticky", owned, 7)) == "00000007");
  CHECK(user_data_for("range", owned, 7).value() == std::nullopt);
  CHECK(user_data_for("roundrobin", owned, 7).value() == std::nullopt);
  CHECK(user_data_for("sticky", Partitions{{std::string(32768, 't'), 0}}, 7).error().code() ==
        Errc::invalid_argument);
}

TEST_CASE("a sticky member says in its user data what it had", "[coordinator]") {
  const MemberSubscription member = read(partitions_hex + "00000007", "sticky", 3);
  CHECK(member.member_id == "m");
  CHECK(member.instance_id == "i");
  CHECK(member.topics == std::vector<std::string>{"a"});
  CHECK(member.owned_partitions == owned);
  CHECK(member.generation_id == 7);
  const MemberSubscription old = read(partitions_hex, "sticky", 3);
  CHECK(old.owned_partitions == owned);
  CHECK(old.generation_id == std::nullopt);
}

TEST_CASE("a cooperative member says its generation in a field or in its user data",
          "[coordinator]") {
  CHECK(read("00000007", "cooperative-sticky").generation_id == 7);
  CHECK(read("00000007", "cooperative-sticky", 3).generation_id == 3);
  CHECK(read("ffffffff", "cooperative-sticky").generation_id == std::nullopt);
  CHECK(read("00000007", "cooperative-sticky").owned_partitions == Partitions{{"a", 9}});
}

TEST_CASE("user data that cannot be read, or is another's, is passed over", "[coordinator]") {
  for (const auto& [user_data, assignor] :
       {std::pair(partitions_hex.substr(0, 40), "sticky"), std::pair(std::string(), "sticky"),
        std::pair(std::string("7fffffff"), "sticky"),
        std::pair(std::string("0007"), "cooperative-sticky"),
        std::pair(partitions_hex + "00000007", "range")}) {
    INFO(assignor << " " << user_data);
    const MemberSubscription member = read(user_data, assignor, 3);
    CHECK(member.owned_partitions == Partitions{{"a", 9}});
    CHECK(member.generation_id == 3);
  }
  CHECK(read("0007", "cooperative-sticky").generation_id == std::nullopt);
}
