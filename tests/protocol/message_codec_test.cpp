#include <millrace/protocol/message_codec.hpp>
#include <millrace/protocol/messages/api_versions.hpp>
#include <millrace/protocol/messages/describe_topic_partitions.hpp>
#include <millrace/protocol/messages/fetch.hpp>
#include <millrace/protocol/messages/heartbeat.hpp>
#include <millrace/protocol/messages/metadata.hpp>
#include <millrace/protocol/messages/produce.hpp>

#include "catch.hpp"
#include "support/bytes.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace::test::from_hex;
using millrace::test::to_hex;

namespace {

template <typename M>
Result<M> decode(const std::string& hex, ApiVersion version, const DecodeOptions& options = {}) {
  const auto bytes = from_hex(hex);
  return MessageCodec<M>::decode(bytes, version, options);
}

template <typename M>
std::string encoded(const M& from, ApiVersion version) {
  MessageWriter writer;
  if (!MessageCodec<M>::encode(from, version, writer)) return "an error";
  std::vector<std::byte> all;
  for (const Bytes piece : writer.pieces()) all.insert(all.end(), piece.begin(), piece.end());
  return to_hex(all);
}

template <typename T>
std::string problem(const Result<T>& result, Errc code) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == code);
  return result.error().message();
}

}  // namespace

TEST_CASE("a version that there is not is refused by name", "[protocol]") {
  const std::string text = problem(decode<HeartbeatRequest>("", 5), Errc::unsupported);
  CHECK(text == "reading HeartbeatRequest v5: there is no such version here; use one from 0 to 4");
  CHECK_FALSE(decode<HeartbeatRequest>("", -1));
  MessageWriter writer;
  const auto written = MessageCodec<HeartbeatRequest>::encode({}, 5, writer);
  CHECK(problem(written, Errc::unsupported).starts_with("writing HeartbeatRequest v5: "));
}

TEST_CASE("what does not fit is named by its field", "[protocol]") {
  // One topic "t" with two partitions, of which the second is cut short.
  const std::string hex =
      "ffffffff"
      "00000000"
      "00000000"
      "00000001"
      "000174"
      "00000002"
      "00000000"
      "0000000000000000"
      "00000000"
      "00000001"
      "0000000000";
  const std::string text = problem(decode<FetchRequest>(hex, 0), Errc::corrupt_data);
  CHECK(
      text.starts_with("reading FetchRequest v0: Topics[0].Partitions[1].FetchOffset: an int64 "
                       "does not fit at byte 43 of 48"));
}

TEST_CASE("null is refused in the versions that have none", "[protocol]") {
  CHECK(problem(decode<MetadataRequest>("ffffffff", 0), Errc::corrupt_data)
            .starts_with("reading MetadataRequest v0: Topics: null for an array"));
  const auto all = decode<MetadataRequest>("ffffffff", 1);
  REQUIRE(all);
  CHECK_FALSE(all->topics);
  CHECK(problem(decode<MetadataRequest>("00000001ffff", 1), Errc::corrupt_data)
            .starts_with("reading MetadataRequest v1: Topics[0].Name: null for a string"));
  MessageWriter writer;
  MetadataRequest request;
  request.topics.reset();
  CHECK(problem(MessageCodec<MetadataRequest>::encode(request, 0, writer), Errc::invalid_argument)
            .starts_with("writing MetadataRequest v0: Topics: it is null"));
  request.topics = {{{.topic_id = {}, .name = std::nullopt}}};
  CHECK(problem(MessageCodec<MetadataRequest>::encode(request, 9, writer), Errc::invalid_argument)
            .starts_with("writing MetadataRequest v9: Topics.Name: it is null"));
  CHECK(writer.size_bytes() == 0);
  CHECK(MessageCodec<MetadataRequest>::encode(request, 10, writer));
}

TEST_CASE("a failed encoding leaves the writer as it was", "[protocol]") {
  MessageWriter writer;
  const std::vector<std::byte> records(1000);
  ProduceRequest request;
  request.topic_data = {{"t", {{0, Bytes(records)}}}};
  REQUIRE(MessageCodec<ProduceRequest>::encode(request, 9, writer));
  const std::size_t before = writer.size_bytes();
  request.topic_data.push_back({std::string(longest_string + 1, 'x'), {}});
  CHECK(problem(MessageCodec<ProduceRequest>::encode(request, 9, writer), Errc::invalid_argument)
            .starts_with("writing ProduceRequest v9: TopicData.Name: a string is longer"));
  CHECK(writer.size_bytes() == before);
  CHECK(writer.pieces().size() == 3);
}

TEST_CASE("structs that may be null are read and written", "[protocol]") {
  DescribeTopicPartitionsRequest request;
  CHECK(encoded(request, 0) == "01000007d0ff00");
  request.cursor = {.topic_name = "t", .partition_index = 3};
  CHECK(encoded(request, 0) == "01000007d0010274000000030000");
  const auto decoded = decode<DescribeTopicPartitionsRequest>(encoded(request, 0), 0);
  REQUIRE(decoded);
  REQUIRE(decoded->cursor);
  CHECK(decoded->cursor->topic_name == "t");
}

TEST_CASE("tagged fields at their default are not written", "[protocol]") {
  ApiVersionsResponse response;
  CHECK(encoded(response, 3) ==
        "0000"
        "01"
        "00000000"
        "00");
  response.finalized_features_epoch = 5;
  CHECK(encoded(response, 3) ==
        "0000"
        "01"
        "00000000"
        "01"
        "01"
        "08"
        "0000000000000005");
  CHECK(encoded(response, 2) ==
        "0000"
        "00000000"
        "00000000");
}

TEST_CASE("tagged fields that take more than 127 bytes get a longer size", "[protocol]") {
  FetchRequest request;
  for (const std::size_t length : {10, 125, 126, 127, 200, 16381, 16382, 20000}) {
    INFO(length);
    request.cluster_id = std::string(length, 'c');
    request.replica_state = {.replica_id = 4, .replica_epoch = 9};
    const auto decoded = decode<FetchRequest>(encoded(request, 16), 16);
    REQUIRE(decoded);
    CHECK(decoded->cluster_id == request.cluster_id);
    CHECK(decoded->replica_state == request.replica_state);
  }
}

TEST_CASE("tags that are not known are passed over", "[protocol]") {
  // Before, between and behind those that are known: 7 and 0, 1, 3, 200 of ApiVersionsResponse.
  const auto decoded = decode<ApiVersionsResponse>(
      "0000"
      "01"
      "00000000"
      "04"
      "01080000000000000005"
      "020101"
      "030101"
      "c80103aabbcc",
      3);
  REQUIRE(decoded);
  CHECK(decoded->finalized_features_epoch == 5);
  CHECK(decoded->zk_migration_ready);
  const auto unknown = decode<HeartbeatRequest>(
      "0267"
      "00000001"
      "026d"
      "00"
      "02"
      "0501aa"
      "0900",
      4);
  REQUIRE(unknown);
  CHECK(unknown->generation_id == 1);
  CHECK_FALSE(unknown->group_instance_id);
}

TEST_CASE("tags out of order and sizes that do not fit are refused", "[protocol]") {
  const std::string head =
      "0267"
      "00000001"
      "026d"
      "00";
  for (const std::string tags : {"02"
                                 "0500"
                                 "0500",
                                 "02"
                                 "0500"
                                 "0400",
                                 "01"
                                 "0501",
                                 "01"
                                 "05",
                                 "01",
                                 "02"
                                 "0500",
                                 "ffffffff0f",
                                 "01"
                                 "05ffffffff0f"}) {
    INFO(tags);
    CHECK(problem(decode<HeartbeatRequest>(head + tags, 4), Errc::corrupt_data)
              .starts_with("reading HeartbeatRequest v4"));
  }
  // The epoch is 8 bytes: with 7 it is cut short, with 9 one is left.
  for (const std::string epoch : {"0107"
                                  "00000000000000",
                                  "0109"
                                  "000000000000000500"}) {
    const auto read = decode<ApiVersionsResponse>(
        "0000"
        "01"
        "00000000"
        "01" +
            epoch,
        3);
    CHECK(problem(read, Errc::corrupt_data)
              .starts_with("reading ApiVersionsResponse v3: FinalizedFeaturesEpoch: "));
  }
}

TEST_CASE("a body does not take much more memory than its bytes", "[protocol]") {
  // Empty topics of three bytes each, which would become almost 20 times as much.
  constexpr std::size_t topics = 100'000;
  std::vector<std::byte> body;
  WireWriter writer(body);
  writer.compact_nullable_string(std::nullopt);
  writer.int16(1);
  writer.int32(1000);
  writer.compact_array_count(topics);
  for (std::size_t i = 0; i < topics; ++i) {
    writer.compact_string("");
    writer.compact_array_count(0);
    writer.tagged_field_count(0);
  }
  writer.tagged_field_count(0);
  CHECK(MessageCodec<ProduceRequest>::decode(body, 9, {.memory_bytes = 100u << 20}));
  CHECK(problem(MessageCodec<ProduceRequest>::decode(body, 9), Errc::corrupt_data)
            .starts_with("reading ProduceRequest v9: TopicData: it would take more memory"));
  // Texts count too.
  const DecodeOptions little{.memory_bytes = 9};
  CHECK_FALSE(decode<HeartbeatRequest>("000561616161610000000100056262626262", 0, little));
  CHECK(decode<HeartbeatRequest>("000561616161610000000100056262626262", 0));
}

TEST_CASE("records are neither copied when read nor when written", "[protocol]") {
  std::vector<std::byte> records(5000, std::byte{7});
  FetchResponse response;
  response.responses = {{"t", {}, {}}};
  FetchResponse::Partition partition;
  partition.records = records;
  response.responses[0].partitions = {partition, partition};
  response.responses[0].partitions[1].records = Bytes(records).first(10);
  MessageWriter writer;
  REQUIRE(MessageCodec<FetchResponse>::encode(response, 4, writer));
  const auto pieces = writer.pieces();
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[1].data() == records.data());
  CHECK(pieces[1].size() == records.size());
  std::vector<std::byte> body;
  for (const Bytes piece : pieces) body.insert(body.end(), piece.begin(), piece.end());
  CHECK(body.size() == writer.size_bytes());
  const auto decoded = MessageCodec<FetchResponse>::decode(body, 4);
  REQUIRE(decoded);
  const Bytes read = decoded->responses[0].partitions[0].records.value();
  CHECK(read.size() == records.size());
  CHECK((read.data() > body.data() && read.data() < body.data() + body.size()));
}

TEST_CASE("the text of a message is JSON whatever its strings hold", "[protocol]") {
  HeartbeatRequest request;
  request.group_id = "a\"\\\n\x01 \xc3\xa4 \xff\xed\xa0\x80";
  request.member_id = "\xe4\xb8\xad\xf0\x9f\x98\x80\xc3";
  CHECK(MessageCodec<HeartbeatRequest>::to_text(request, 3) == R"({"GroupId":"a\"\\\u000a\u0001 )"
                                                               "\xc3\xa4"
                                                               R"( \ufffd\ufffd\ufffd\ufffd",)"
                                                               R"("GenerationId":0,"MemberId":")"
                                                               "\xe4\xb8\xad\xf0\x9f\x98\x80"
                                                               R"(\ufffd",)"
                                                               R"("GroupInstanceId":null})");
}
