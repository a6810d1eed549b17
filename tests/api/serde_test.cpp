#include <limits>
#include <millrace/serde.hpp>

#include "catch.hpp"

using millrace::Bytes;
using millrace::ByteSink;
using millrace::Errc;
using millrace::Serde;

namespace {

struct Point {
  double x;
  std::int32_t y;
};

struct Tagged {
  std::string tag;
};

template <typename T>
std::vector<std::byte> written(const T& value) {
  ByteSink sink;
  const Bytes bytes = millrace::detail::to_bytes(value, sink).value();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

template <>
struct millrace::Serde<Tagged> {
  static Result<void> serialize(const Tagged& value, ByteSink& out) {
    if (value.tag.empty()) return Error(Errc::serialization, "a tag is needed");
    out.append(value.tag);
    return {};
  }
  static Result<Tagged> deserialize(Bytes bytes) { return Tagged{std::string(as_text(bytes))}; }
};

TEST_CASE("integers are big-endian, as Kafka's serializers write them") {
  CHECK(written(std::int32_t{0x01020304}) ==
        std::vector{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
  for (const std::int64_t v :
       {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
    CHECK(Serde<std::int64_t>::deserialize(written(v)).value() == v);
  }
  const auto wrong = Serde<std::int32_t>::deserialize(written(std::int64_t{1}));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code() == Errc::serialization);
}

TEST_CASE("trivially copyable types, texts and bytes round trip") {
  const Point point = Serde<Point>::deserialize(written(Point{1.5, -3})).value();
  CHECK(point.x == 1.5);
  CHECK(point.y == -3);
  CHECK_FALSE(Serde<Point>::deserialize(Bytes()));
  CHECK(Serde<std::string>::deserialize(written(std::string("a\0b", 3))).value() ==
        std::string("a\0b", 3));
  CHECK(written(std::string_view("view")).size() == 4);
}

TEST_CASE("a user's Serde may refuse") {
  CHECK(Serde<Tagged>::deserialize(written(Tagged{"x"})).value().tag == "x");
  ByteSink sink;
  CHECK(millrace::detail::to_bytes(Tagged{}, sink).error().code() == Errc::serialization);
}

static_assert(!millrace::Serializable<int*>);
static_assert(!millrace::Serializable<std::vector<std::string>>);
static_assert(millrace::ViewSerializable<std::string> && !millrace::ViewSerializable<Tagged>);

static_assert(millrace::TopicType<std::string> && millrace::TopicType<std::optional<int>>);
static_assert(!millrace::Serializable<std::span<const int>>, "its bytes are an address");
static_assert(!millrace::TopicType<std::optional<std::span<const int>>>);
static_assert(millrace::detail::is_view<std::optional<std::string_view>>);
static_assert(!millrace::detail::is_view<std::string> && !millrace::detail::is_view<Tagged>);

TEST_CASE("an optional is null or the bytes of what it holds") {
  ByteSink sink;
  CHECK_FALSE(millrace::detail::to_bytes(std::optional<std::int32_t>(), sink).value());
  const auto bytes = millrace::detail::to_bytes(std::optional<std::int32_t>(7), sink).value();
  REQUIRE(bytes);
  CHECK(Serde<std::int32_t>::deserialize(*bytes).value() == 7);
}
