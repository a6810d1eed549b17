#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/record/delayed.hpp>
#include <string>

#include "catch.hpp"

using namespace millrace;
using namespace millrace::record;

namespace {

/// What a record with these headers and this time is hidden until.
std::optional<std::int64_t> hidden(std::int64_t time, const std::vector<HeaderView>& headers) {
  BatchBuilder builder;
  builder.add(Timestamp{time}, std::nullopt, as_bytes("v"), headers).value();
  const auto bytes = builder.finish().value();
  std::vector<std::byte> scratch;
  auto cursor = RecordCursor::open(BatchView::parse(bytes).value(), scratch).value();
  RecordView record;
  REQUIRE(cursor.next(record) == RecordCursor::Step::record);
  const auto until = hidden_until(record);
  return until ? std::optional(until->milliseconds()) : std::nullopt;
}

HeaderView at(const char* time) {
  return {deliver_at_header, as_bytes(time)};
}

}  // namespace

TEST_CASE("A record is hidden if it asks for a time behind its own", "[record][delayed]") {
  CHECK(hidden(1000, {at("1001")}) == 1001);
  CHECK_FALSE(hidden(1000, {at("1000")}));
  CHECK_FALSE(hidden(1000, {at("999")}));
  CHECK_FALSE(hidden(1000, {}));
  CHECK_FALSE(hidden(1000, {{"deliver-at", as_bytes("2000")}}));
  CHECK(hidden(-1, {at("0")}) == 0);
  CHECK(hidden(1000, {at("0002000")}) == 2000);
  CHECK(hidden(1000, {at("3000"), {"other", std::nullopt}, at("2000")}) == 2000);
  CHECK_FALSE(hidden(1000, {at("3000"), at("later")}));
}

TEST_CASE("A time is digits alone, up to the end of the year 9999", "[record][delayed]") {
  CHECK(parse_deliver_at(as_bytes("253402300799999")) == latest_deliver_at);
  for (const char* const text : {"253402300800000", "18446744073709551616", "", "-1", "+1", " 1",
                                 "1 ", "1.5", "0x10", "1\n"}) {
    INFO(text);
    CHECK_FALSE(parse_deliver_at(as_bytes(text)));
  }
  CHECK_FALSE(parse_deliver_at(std::nullopt));
}

TEST_CASE("A mark is a copy's if it names the partition", "[record][delayed]") {
  CHECK(parse_copy_mark("17@id-0", "@id-0") == Offset{17});
  for (const char* const mark : {"", "@id-0", "17@id-1", "17@id-00", "x@id-0", "1 7@id-0", "17"}) {
    INFO(mark);
    CHECK_FALSE(parse_copy_mark(mark, "@id-0"));
  }
}
