#include <millrace/core/crc32c.hpp>
#include <millrace/storage/producer_snapshot.hpp>

#include "catch.hpp"
#include "storage/producer_fixture.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using namespace millrace::test;
using Catch::Matchers::Contains;
using storage::ProducerSummary;

namespace {

std::vector<ProducerSummary> two_producers() {
  return {{.id = 4000,
           .epoch = 2,
           .last_sequence = 19,
           .last_offset = Offset{2},
           .offset_delta = 2,
           .timestamp = Timestamp{1600000000014}},
          {.id = 4001,
           .epoch = 0,
           .last_sequence = 1,
           .last_offset = Offset{10},
           .offset_delta = 1,
           .timestamp = Timestamp{1600000000000},
           .coordinator_epoch = 5}};
}

/// With a checksum that fits again.
void seal(std::vector<std::byte>& content) {
  store_big(content.data() + 2, crc32c(Bytes(content).subspan(6)));
}

Errc refusal(const std::vector<std::byte>& content) {
  const auto decoded = storage::decode_snapshot(content, "x.snapshot");
  return decoded ? Errc{} : decoded.error().code();
}

}  // namespace

TEST_CASE("a snapshot has Kafka's bytes", "[storage][snapshot]") {
  const auto vectors = load_vectors("log-directory.json");
  const auto content =
      from_hex(vectors.at("files").at("00000000000000000015.snapshot").get<std::string>());
  CHECK(storage::decode_snapshot(content, "x").value() == two_producers());
  CHECK(storage::encode_snapshot(two_producers()) == content);
}

TEST_CASE("every field of a snapshot goes through", "[storage][snapshot]") {
  auto producers = two_producers();
  producers[0].coordinator_epoch = 77;
  producers[0].transaction = Offset{1};
  producers.push_back(
      {.id = 5000, .epoch = 3, .timestamp = Timestamp{5}, .transaction = Offset{9}});
  const auto content = storage::encode_snapshot(producers);
  CHECK(content.size() == 10 + 3 * 46);
  CHECK(storage::decode_snapshot(content, "x").value() == producers);
  CHECK(storage::decode_snapshot(storage::encode_snapshot({}), "x").value().empty());
}

TEST_CASE("a snapshot with any byte changed, missing or added is refused", "[storage][snapshot]") {
  const auto content = storage::encode_snapshot(two_producers());
  for (std::size_t i = 0; i < content.size(); ++i) {
    auto changed = content;
    changed[i] ^= std::byte{1};
    INFO("byte " << i);
    CHECK(refusal(changed) == Errc::corrupt_data);
    const auto cut =
        std::vector<std::byte>(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(refusal(cut) == Errc::corrupt_data);
  }
  auto longer = content;
  longer.push_back(std::byte{0});
  CHECK(refusal(longer) == Errc::corrupt_data);
  CHECK(refusal(std::vector<std::byte>(content.size())) == Errc::corrupt_data);
  CHECK_THAT(storage::decode_snapshot(longer, "x.snapshot").error().message(),
             Contains("x.snapshot") && Contains("checksum") && Contains("delete it"));
}

TEST_CASE("a snapshot that says what cannot be is refused", "[storage][snapshot]") {
  const auto refused = [](const ProducerSummary& producer) {
    return refusal(storage::encode_snapshot(std::vector{producer})) == Errc::corrupt_data;
  };
  const ProducerSummary sound = two_producers()[0];
  CHECK_FALSE(refused(sound));
  const auto with = [&](auto member, auto value) {
    ProducerSummary producer = sound;
    producer.*member = value;
    return refused(producer);
  };
  CHECK(with(&ProducerSummary::id, std::int64_t{-1}));
  CHECK(with(&ProducerSummary::epoch, std::int16_t{-2}));
  CHECK(with(&ProducerSummary::coordinator_epoch, -2));
  CHECK(with(&ProducerSummary::last_sequence, -2));
  CHECK(with(&ProducerSummary::last_sequence, -1));
  CHECK(with(&ProducerSummary::last_offset, Offset{-1}));
  CHECK(with(&ProducerSummary::last_offset, Offset{std::numeric_limits<std::int64_t>::max()}));
  CHECK(with(&ProducerSummary::offset_delta, -1));
  CHECK(with(&ProducerSummary::offset_delta, 3));
  CHECK(with(&ProducerSummary::transaction, std::optional(Offset{-2})));
  CHECK(refusal(storage::encode_snapshot(std::vector{sound, sound})) == Errc::corrupt_data);

  auto content = storage::encode_snapshot(two_producers());
  for (const std::int32_t count : {-1, 0, 1, 3, std::numeric_limits<std::int32_t>::max()}) {
    store_big(content.data() + 6, count);
    seal(content);
    CHECK(refusal(content) == Errc::corrupt_data);
  }
}

TEST_CASE("a snapshot is written under its name as a whole", "[storage][snapshot]") {
  const Place place(GENERATE(true, false));
  storage::write_snapshot(place.directory, Offset{15}, storage::encode_snapshot(two_producers()))
      .value();
  CHECK(storage::read_snapshot(place.directory, Offset{15}).value() == two_producers());
  const auto files = place.directory->list().value();
  REQUIRE(files.size() == 1);
  CHECK(files[0].name == "00000000000000000015.snapshot");
  CHECK_FALSE(storage::read_snapshot(place.directory, Offset{16}));
}
