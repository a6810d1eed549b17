#include <millrace/core/offset.hpp>
#include <type_traits>

#include "catch.hpp"

using namespace millrace;

namespace {

template <typename A, typename B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <typename A, typename B>
concept Comparable = requires(A a, B b) {
  a == b;
};

static_assert(!Addable<Offset, Offset>);
static_assert(!Addable<Offset, FilePosition>);
static_assert(!Addable<Timestamp, Timestamp>);
static_assert(!Comparable<Offset, FilePosition>);
static_assert(!Comparable<Offset, std::int64_t>);
static_assert(!std::is_convertible_v<std::int64_t, Offset>);
static_assert(!std::is_convertible_v<Offset, std::int64_t>);
static_assert(!std::is_convertible_v<std::uint64_t, FilePosition>);
static_assert(std::is_same_v<decltype(Offset{} - Offset{}), std::int64_t>);
static_assert(std::is_same_v<decltype(Offset{} - 1), Offset>);
static_assert(std::is_trivially_copyable_v<Offset> && sizeof(Offset) == 8);

}  // namespace

TEST_CASE("offsets count", "[offset]") {
  Offset offset{41};
  CHECK(++offset == Offset{42});
  CHECK((offset += 8) == Offset{50});
  CHECK(offset + 5 == Offset{55});
  CHECK(offset - 5 == Offset{45});
  CHECK(Offset{50} - Offset{8} == 42);
  CHECK(Offset{8} - Offset{50} == -42);
  CHECK(Offset{1} < Offset{2});
  CHECK(Offset{} == Offset{0});
}

TEST_CASE("file positions are unsigned, their difference is not", "[offset]") {
  CHECK(FilePosition{10} + 5 == FilePosition{15});
  CHECK(FilePosition{10} - FilePosition{15} == -5);
  CHECK(FilePosition{} < FilePosition{1});
}

TEST_CASE("timestamps are milliseconds, and may be absent", "[offset]") {
  using namespace std::chrono_literals;
  const Timestamp time{1'600'000'000'000};
  CHECK(Timestamp{} == Timestamp::none());
  CHECK(Timestamp::none().milliseconds() == -1);
  CHECK(time + 1s == Timestamp{1'600'000'001'000});
  CHECK(time - 1ms == Timestamp{1'599'999'999'999});
  CHECK(Timestamp{5} - Timestamp{7} == -2ms);
  CHECK(Timestamp{time.to_sys_time()} == time);
  CHECK(Timestamp{std::chrono::sys_seconds(7s)} == Timestamp{7000});
  CHECK(Timestamp{std::chrono::sys_time<std::chrono::nanoseconds>(1'999'999ns)} == Timestamp{1});
}

TEST_CASE("sums and differences of times stop at the ends") {
  constexpr Timestamp last{std::numeric_limits<std::int64_t>::max()};
  constexpr Timestamp first{std::numeric_limits<std::int64_t>::min()};
  constexpr auto ever = std::chrono::milliseconds::max();
  CHECK(Timestamp{5} + std::chrono::milliseconds(3) == Timestamp{8});
  CHECK(Timestamp{5} + ever == last);
  CHECK(last + std::chrono::milliseconds(1) == last);
  CHECK(first - std::chrono::milliseconds(1) == first);
  CHECK(Timestamp{-2} - ever == first);
  CHECK(first - last == std::chrono::milliseconds::min());
  CHECK(last - first == ever);
  CHECK(last - Timestamp{1} == ever - std::chrono::milliseconds(1));
}
