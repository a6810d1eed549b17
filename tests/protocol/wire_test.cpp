#include <functional>
#include <limits>
#include <millrace/protocol/wire.hpp>
#include <string>

#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace::test::from_hex;
using millrace::test::to_hex;
using nlohmann::json;

namespace {

json primitives() {
  return test::load_vectors("primitives.json");
}

std::string written(const std::function<void(WireWriter&)>& write) {
  std::vector<std::byte> bytes;
  WireWriter writer(bytes);
  write(writer);
  CHECK(writer.finish("writing a test"));
  return to_hex(bytes);
}

/// Reads `hex` whole, and then every shorter part of it, which must fail and stay inside.
template <typename Read>
auto read_whole(const std::string& hex, Read read) {
  const auto bytes = from_hex(hex);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO("cut to " << size << " of " << hex);
    const std::vector<std::byte> part(bytes.begin(), bytes.begin() + static_cast<long>(size));
    WireReader reader(part);
    static_cast<void>(read(reader));
    CHECK_FALSE(reader.ok());
    CHECK(reader.position() <= size);
    CHECK(reader.finish("reading a test").error().code() == Errc::corrupt_data);
  }
  WireReader reader(bytes);
  auto value = read(reader);
  CHECK(reader.finish("reading a test"));
  return value;
}

std::optional<std::string> to_owned(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

std::optional<std::string> text_of(const json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<std::string>();
}

}  // namespace

TEST_CASE("varints are Kafka's", "[protocol][vectors]") {
  const json vectors = primitives();
  for (const json& vector : vectors["unsigned_varint"]) {
    const auto hex = vector["hex"].get<std::string>();
    const auto value = vector["value"].get<std::uint32_t>();
    CHECK(written([&](WireWriter& to) { to.unsigned_varint(value); }) == hex);
    CHECK(read_whole(hex, [](WireReader& r) { return r.unsigned_varint(); }) == value);
  }
  for (const json& vector : vectors["varint_zigzag32"]) {
    const auto hex = vector["hex"].get<std::string>();
    const auto value = vector["value"].get<std::int32_t>();
    CHECK(written([&](WireWriter& to) { to.varint(value); }) == hex);
    CHECK(read_whole(hex, [](WireReader& r) { return r.varint(); }) == value);
  }
  for (const json& vector : vectors["varlong_zigzag64"]) {
    const auto hex = vector["hex"].get<std::string>();
    const auto value = vector["value"].get<std::int64_t>();
    CHECK(written([&](WireWriter& to) { to.varlong(value); }) == hex);
    CHECK(read_whole(hex, [](WireReader& r) { return r.varlong(); }) == value);
  }
}

TEST_CASE("strings are Kafka's in all four encodings", "[protocol][vectors]") {
  const json vectors = primitives();
  for (const json& vector : vectors["string"]) {
    const auto text = text_of(vector["value"]);
    INFO(text.value_or("null"));
    const std::string plain = vector.value("string", vector.value("nullable_string", ""));
    const std::string compact =
        vector.value("compact_string", vector.value("compact_nullable_string", ""));
    CHECK(written([&](WireWriter& to) { to.nullable_string(text); }) == plain);
    CHECK(written([&](WireWriter& to) { to.compact_nullable_string(text); }) == compact);
    CHECK(read_whole(plain, [](auto& r) { return to_owned(r.nullable_string()); }) == text);
    CHECK(read_whole(compact, [](auto& r) { return to_owned(r.compact_nullable_string()); }) ==
          text);
    if (!text) continue;
    CHECK(written([&](WireWriter& to) { to.string(*text); }) == plain);
    CHECK(written([&](WireWriter& to) { to.compact_string(*text); }) == compact);
    CHECK(read_whole(plain, [](auto& r) { return std::string(r.string()); }) == text);
    CHECK(read_whole(compact, [](auto& r) { return std::string(r.compact_string()); }) == text);
  }
}

TEST_CASE("arrays are Kafka's in both encodings", "[protocol][vectors]") {
  using Numbers = std::optional<std::vector<std::int32_t>>;
  const auto elements = [](WireReader& r, std::optional<std::size_t> count) -> Numbers {
    if (!count) return std::nullopt;
    std::vector<std::int32_t> numbers;
    for (; *count > 0; --*count) numbers.push_back(r.int32());
    return numbers;
  };
  const json vectors = primitives();
  for (const json& vector : vectors["array_of_int32"]) {
    const auto plain = vector["array"].get<std::string>();
    const auto compact = vector["compact_array"].get<std::string>();
    Numbers numbers;
    if (!vector["value"].is_null()) numbers = vector["value"].get<std::vector<std::int32_t>>();
    const auto count = numbers ? std::optional(numbers->size()) : std::nullopt;
    const auto write_elements = [&](WireWriter& to) {
      if (numbers)
        for (const std::int32_t number : *numbers) to.int32(number);
    };
    CHECK(written([&](auto& to) { to.array_count(count), write_elements(to); }) == plain);
    CHECK(written([&](auto& to) { to.compact_array_count(count), write_elements(to); }) == compact);
    CHECK(read_whole(plain, [&](auto& r) { return elements(r, r.nullable_array_count(4)); }) ==
          numbers);
    CHECK(read_whole(compact, [&](auto& r) {
            return elements(r, r.compact_nullable_array_count(4));
          }) == numbers);
    if (!numbers) continue;
    CHECK(read_whole(plain, [&](auto& r) { return elements(r, r.array_count(4)); }) == numbers);
    CHECK(read_whole(compact, [&](auto& r) { return elements(r, r.compact_array_count(4)); }) ==
          numbers);
  }
}

TEST_CASE("tagged fields are Kafka's", "[protocol][vectors]") {
  const json vectors = primitives();
  const auto empty = vectors["empty_tag_section"].get<std::string>();
  CHECK(written([](WireWriter& to) { to.tagged_field_count(0); }) == empty);
  const json& example = vectors["tag_section_example"];
  const auto hex = example["hex"].get<std::string>();
  CHECK(written([&](WireWriter& to) {
          to.tagged_field_count(static_cast<std::uint32_t>(example["fields"].size()));
          for (const json& field : example["fields"])
            to.tagged_field(field["tag"].get<std::uint32_t>(),
                            from_hex(field["data_hex"].get<std::string>()));
        }) == hex);
  const json read = read_whole(hex, [](WireReader& r) {
    json fields = json::array();
    r.tagged_fields([&](std::uint32_t tag, WireReader& field) {
      fields.push_back({{"tag", tag}, {"data_hex", to_hex(field.take(field.remaining()))}});
    });
    return fields;
  });
  CHECK(read == example["fields"]);
  for (const std::string& section : {empty, hex})
    read_whole(section, [](WireReader& r) { return r.skip_tagged_fields(), 0; });
}

TEST_CASE("a tagged field that its visitor cannot read fails the whole", "[protocol]") {
  const auto bytes = from_hex("02000200050300");
  WireReader reader(bytes);
  reader.tagged_fields([](std::uint32_t, WireReader& field) { field.int32(); });
  CHECK_FALSE(reader.ok());
}

TEST_CASE("uuids are sixteen bytes", "[protocol][vectors]") {
  const json vectors = primitives();
  for (const json& vector : vectors["uuid"]) {
    const auto hex = vector["hex"].get<std::string>();
    const Uuid uuid = read_whole(hex, [](WireReader& r) { return r.uuid(); });
    CHECK(to_hex(uuid.bytes) == hex);
    CHECK(written([&](WireWriter& to) { to.uuid(uuid); }) == hex);
  }
}

TEST_CASE("numbers of fixed width are big-endian", "[protocol]") {
  const std::string hex = written([](WireWriter& to) {
    to.boolean(true);
    to.boolean(false);
    to.int8(-2);
    to.int16(-3);
    to.uint16(0xfffe);
    to.int32(-4);
    to.uint32(0xfffffffd);
    to.int64(std::numeric_limits<std::int64_t>::min());
    to.float64(1.5);
  });
  CHECK(hex == "0100fefffdfffefffffffcfffffffd80000000000000003ff8000000000000");
  read_whole(hex, [](WireReader& r) {
    const bool good = r.boolean() && !r.boolean() && r.int8() == -2 && r.int16() == -3 &&
                      r.uint16() == 0xfffe && r.int32() == -4 && r.uint32() == 0xfffffffd &&
                      r.int64() == std::numeric_limits<std::int64_t>::min() && r.float64() == 1.5;
    CHECK(good == r.ok());
    return 0;
  });
}

TEST_CASE("byte strings are null, empty or full in both encodings", "[protocol]") {
  const auto value = from_hex("00ff10");
  const std::optional<Bytes> cases[] = {std::nullopt, Bytes{}, Bytes(value)};
  const std::string plain[] = {"ffffffff", "00000000", "0000000300ff10"};
  const std::string compact[] = {"00", "01", "0400ff10"};
  const auto hex_of = [](std::optional<Bytes> bytes) { return bytes ? to_hex(*bytes) : "null"; };
  for (int i = 0; i < 3; ++i) {
    CHECK(written([&](WireWriter& to) { to.nullable_bytes(cases[i]); }) == plain[i]);
    CHECK(written([&](WireWriter& to) { to.compact_nullable_bytes(cases[i]); }) == compact[i]);
    CHECK(read_whole(plain[i], [&](auto& r) { return hex_of(r.nullable_bytes()); }) ==
          hex_of(cases[i]));
    CHECK(read_whole(compact[i], [&](auto& r) { return hex_of(r.compact_nullable_bytes()); }) ==
          hex_of(cases[i]));
    if (!cases[i]) continue;
    CHECK(read_whole(plain[i], [&](auto& r) { return to_hex(r.bytes()); }) == hex_of(cases[i]));
    CHECK(read_whole(compact[i], [&](auto& r) { return to_hex(r.compact_bytes()); }) ==
          hex_of(cases[i]));
  }
}

TEST_CASE("null where there is no null is a failure", "[protocol]") {
  const auto fails = [](const std::string& hex, const auto& read) {
    const auto bytes = from_hex(hex);
    WireReader reader(bytes);
    static_cast<void>(read(reader));
    return !reader.ok();
  };
  CHECK(fails("ffff", [](auto& r) { return r.string(); }));
  CHECK(fails("00", [](auto& r) { return r.compact_string(); }));
  CHECK(fails("ffffffff", [](auto& r) { return r.bytes(); }));
  CHECK(fails("00", [](auto& r) { return r.compact_bytes(); }));
  CHECK(fails("ffffffff", [](auto& r) { return r.array_count(); }));
  CHECK(fails("00", [](auto& r) { return r.compact_array_count(); }));
}

TEST_CASE("lengths that cannot be are failures", "[protocol]") {
  const auto fails = [](const std::string& hex, const auto& read) {
    const auto bytes = from_hex(hex);
    WireReader reader(bytes);
    static_cast<void>(read(reader));
    return !reader.ok() && reader.remaining() == 0;
  };
  CHECK(fails("fffe61", [](auto& r) { return r.nullable_string(); }));
  CHECK(fails("fffffffe61", [](auto& r) { return r.nullable_bytes(); }));
  CHECK(fails("fffffffe61", [](auto& r) { return r.nullable_array_count(); }));
  CHECK(fails("7fffffff61", [](auto& r) { return r.array_count(); }));
  CHECK(fails("ffffffff0f61", [](auto& r) { return r.compact_array_count(); }));
  CHECK(fails("ffffffff0f61", [](auto& r) { return r.compact_nullable_bytes(); }));
  CHECK(fails("ffffffff1f61", [](auto& r) { return r.unsigned_varint(); }));
  CHECK(fails("808080808061", [](auto& r) { return r.varint(); }));
  CHECK(fails("ffffffff0f", [](auto& r) { return r.skip_tagged_fields(), 0; }));
  // Longer than a string may be, though the bytes are there.
  CHECK(fails("818002" + std::string(2 * 0x8000, '6'), [](auto& r) { return r.compact_string(); }));
  CHECK_FALSE(
      fails("808002" + std::string(2 * 0x7fff, '6'), [](auto& r) { return r.compact_string(); }));
}

TEST_CASE("an array's count is held against the bytes that are left", "[protocol]") {
  const auto bytes = from_hex("0000000300000001000000020000");
  CHECK(WireReader(bytes).array_count(3) == 3);
  WireReader reader(bytes);
  CHECK(reader.array_count(4) == 0);
  CHECK_FALSE(reader.ok());
}

TEST_CASE("after a failure everything reads as nothing, and the first one is told", "[protocol]") {
  const auto bytes = from_hex("0001000561626300000007");
  WireReader reader(bytes);
  CHECK(reader.int16() == 1);
  CHECK(reader.check("reading a test"));
  CHECK(reader.finish("reading a test").error().message() ==
        "reading a test: 9 bytes are left over at byte 2 of 11; the bytes are damaged or are not "
        "what they were taken for, ask whoever wrote them");
  CHECK(reader.take(2).size() == 2);
  CHECK(reader.string().empty());
  CHECK(reader.int8() == 0);
  CHECK(reader.varint() == 0);
  CHECK(reader.uuid() == Uuid{});
  CHECK(reader.nullable_string() == std::nullopt);
  CHECK(reader.array_count() == 0);
  CHECK(reader.take(1).empty());
  CHECK(reader.check("reading a test").error().message() ==
        "reading a test: a string does not fit at byte 6 of 11; the bytes are damaged or are not "
        "what they were taken for, ask whoever wrote them");
}

TEST_CASE("what is too long to be said is refused, not cut", "[protocol]") {
  const std::string longest(longest_string, 'x');
  CHECK(written([&](WireWriter& to) { to.string(longest); }).starts_with("7fff7878"));
  for (const bool compact : {false, true}) {
    std::vector<std::byte> bytes;
    WireWriter writer(bytes);
    const std::string text = longest + "x";
    compact ? writer.compact_string(text) : writer.string(text);
    CHECK_FALSE(writer.ok());
    CHECK(to_hex(bytes) == (compact ? "00" : "ffff"));
    CHECK(writer.finish("writing a test").error().code() == Errc::invalid_argument);
    CHECK(writer.finish("writing a test").error().message() ==
          "writing a test: a string is longer than Kafka's format can say (a string 32767 bytes, "
          "anything else 2 GiB); make it shorter");
  }
  std::vector<std::byte> bytes;
  WireWriter writer(bytes);
  writer.array_count(std::size_t{1} << 31);
  CHECK_FALSE(writer.ok());
}
