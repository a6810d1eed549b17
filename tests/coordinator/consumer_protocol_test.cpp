#include <millrace/coordinator/consumer_protocol.hpp>

#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using namespace millrace::coordinator;
using millrace::test::from_hex;
using millrace::test::to_hex;
using nlohmann::json;

namespace {

std::optional<std::vector<std::byte>> bytes_of(const json& hex) {
  if (hex.is_null()) return std::nullopt;
  return from_hex(hex.get<std::string>());
}

std::vector<TopicPartition> partitions_of(const json& topics) {
  std::vector<TopicPartition> partitions;
  for (const json& topic : topics)
    for (const json& partition : topic["Partitions"])
      partitions.push_back({topic["Topic"].get<std::string>(), partition.get<PartitionId>()});
  return partitions;
}

Subscription subscription_of(const json& fields) {
  Subscription expected;
  expected.topics = fields["Topics"].get<std::vector<std::string>>();
  expected.user_data = bytes_of(fields["UserData"]);
  expected.owned_partitions = partitions_of(fields.value("OwnedPartitions", json::array()));
  const std::int32_t generation = fields.value("GenerationId", -1);
  if (generation >= 0) expected.generation_id = generation;
  if (fields.contains("RackId") && !fields["RackId"].is_null())
    expected.rack_id = fields["RackId"].get<std::string>();
  return expected;
}

json vectors_of(const std::string& name) {
  const json file = test::load_vectors("messages/" + name + ".json");
  REQUIRE(file["vectors"].size() == 8);
  return file["vectors"];
}

/// The vectors are bodies; in a group's bytes their version stands in front.
std::vector<std::byte> embedded(const json& vector) {
  std::vector<std::byte> bytes = from_hex("0000" + vector["hex"].get<std::string>());
  store_big(bytes.data(), vector["version"].get<std::int16_t>());
  return bytes;
}

/// Every shorter part must be refused.
template <typename Decode>
void check_cuts(const std::vector<std::byte>& bytes, Decode decode) {
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    INFO("cut to " << size << " of " << to_hex(bytes));
    const auto decoded = decode(Bytes(bytes).first(size));
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code() == Errc::corrupt_data);
  }
}

std::vector<std::byte> with_version(std::vector<std::byte> bytes, std::int16_t version) {
  store_big(bytes.data(), version);
  return bytes;
}

const std::string owned_hex =
    "00000002"
    "000162"
    "000000020000000500000003"
    "000161"
    "0000000100000000";

}  // namespace

TEST_CASE("subscriptions are Kafka's in every version", "[coordinator][vectors]") {
  const json vectors = vectors_of("ConsumerProtocolSubscription");
  for (const json& vector : vectors) {
    const auto version = vector["version"].get<std::int16_t>();
    INFO("version " << version << ", " << vector["variant"]);
    const Subscription expected = subscription_of(vector["fields"]);
    const auto bytes = embedded(vector);
    CHECK(decode_subscription(bytes).value() == expected);
    CHECK(to_hex(encode(expected, version).value()) == to_hex(bytes));
    check_cuts(bytes, decode_subscription);
  }
}

TEST_CASE("assignments are Kafka's in every version", "[coordinator][vectors]") {
  const json vectors = vectors_of("ConsumerProtocolAssignment");
  for (const json& vector : vectors) {
    const auto version = vector["version"].get<std::int16_t>();
    INFO("version " << version << ", " << vector["variant"]);
    const json& fields = vector["fields"];
    const Assignment expected{partitions_of(fields["AssignedPartitions"]),
                              bytes_of(fields["UserData"])};
    const auto bytes = embedded(vector);
    CHECK(decode_assignment(bytes).value() == expected);
    CHECK(to_hex(encode(expected, version).value()) == to_hex(bytes));
    check_cuts(bytes, decode_assignment);
  }
}

TEST_CASE("damaged bytes are refused or mean something else", "[coordinator][vectors]") {
  const auto check_flips = [](std::vector<std::byte> bytes, auto decode) {
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      const auto flip = std::byte{1} << (bit % 8);
      bytes[bit / 8] ^= flip;
      INFO(to_hex(bytes));
      if (const auto decoded = decode(Bytes(bytes))) {
        const auto again = encode(*decoded).value();
        CHECK(decode(Bytes(again)).value() == *decoded);
      }
      bytes[bit / 8] ^= flip;
    }
  };
  for (const json& vector : vectors_of("ConsumerProtocolSubscription"))
    check_flips(embedded(vector), decode_subscription);
  for (const json& vector : vectors_of("ConsumerProtocolAssignment"))
    check_flips(embedded(vector), decode_assignment);
}

TEST_CASE("of a higher version what is known is read", "[coordinator]") {
  Subscription subscription{{"a", "b"}, std::nullopt, {{"a", 1}}, 7, "here"};
  auto bytes = with_version(encode(subscription).value(), 9);
  bytes.insert(bytes.end(), 5, std::byte{0xee});
  CHECK(decode_subscription(bytes).value() == subscription);

  Assignment assignment{{{"a", 1}}, std::vector<std::byte>{}};
  bytes = with_version(encode(assignment).value(), 9);
  bytes.insert(bytes.end(), 5, std::byte{0xee});
  CHECK(decode_assignment(bytes).value() == assignment);
}

TEST_CASE("an older reader finds an older subscription in front", "[coordinator]") {
  const Subscription subscription{{"a"}, std::nullopt, {{"a", 1}}, 7, "here"};
  const auto newest = encode(subscription).value();
  const auto oldest = encode(subscription, 0).value();
  CHECK(decode_subscription(with_version(newest, 0)).value() ==
        decode_subscription(oldest).value());
}

TEST_CASE("each topic is written once, in the order of first appearance", "[coordinator]") {
  const Assignment assignment{{{"b", 5}, {"a", 0}, {"b", 3}}, std::nullopt};
  CHECK(to_hex(encode(assignment, 1).value()) == "0001" + owned_hex + "ffffffff");
}

TEST_CASE("no bytes are an empty assignment, but no subscription", "[coordinator]") {
  CHECK(decode_assignment({}).value() == Assignment{});
  CHECK(decode_subscription({}).error().code() == Errc::corrupt_data);
}

TEST_CASE("versions that are none are refused", "[coordinator]") {
  for (const std::int16_t version : {std::int16_t{-1}, std::int16_t{4}}) {
    CHECK(encode(Subscription{}, version).error().code() == Errc::invalid_argument);
    CHECK(encode(Assignment{}, version).error().message() ==
          "writing a member's assignment: there is no version " + std::to_string(version) +
              " of it; ask for one from 0 to 3");
  }
  const auto bytes = with_version(encode(Subscription{}).value(), -1);
  CHECK(decode_subscription(bytes).error().message() ==
        "reading a member's subscription: its version is -1, which cannot be; ask whoever wrote "
        "it");
  CHECK(decode_assignment(bytes).error().code() == Errc::corrupt_data);
}

TEST_CASE("a rack of more than 32767 bytes is refused", "[coordinator]") {
  Subscription subscription;
  subscription.rack_id = std::string(32768, 'r');
  CHECK(encode(subscription).error().code() == Errc::invalid_argument);
  CHECK(encode(subscription, 2));
}

TEST_CASE("a count that the bytes cannot hold is refused before anything is made",
          "[coordinator]") {
  CHECK_FALSE(decode_subscription(from_hex("00007fffffff0000")));
  CHECK_FALSE(decode_assignment(from_hex("0000000000010001617fffffff00000000ffffffff")));
}
