#include <map>
#include <memory>
#include <millrace/core/result.hpp>
#include <string>

#include "catch.hpp"

using namespace millrace;

namespace {

Result<int> parse_digit(char c) {
  if (c < '0' || c > '9') return Error(Errc::invalid_argument, std::string("no digit: ") + c);
  return c - '0';
}

Result<int> sum_of_digits(std::string_view text) {
  int sum = 0;
  for (const char c : text) {
    MILLRACE_TRY(const int digit, parse_digit(c));
    sum += digit;
  }
  return sum;
}

Result<void> require_digits(std::string_view text) {
  for (const char c : text) MILLRACE_CHECK(parse_digit(c));
  return {};
}

Result<std::size_t> size_of_map() {
  MILLRACE_TRY(const auto counts, Result<std::map<int, int>>(std::map<int, int>{{1, 2}}));
  return counts.size();
}

Result<std::string> text_result() {
  return std::string("a text that is too long for no heap");
}

}  // namespace

TEST_CASE("a result has a value or an error", "[result]") {
  const Result<int> good = parse_digit('7');
  REQUIRE(good);
  CHECK(good.has_value());
  CHECK(*good == 7);
  CHECK(good.value() == 7);
  const Result<int> bad = parse_digit('x');
  REQUIRE(!bad);
  CHECK(bad.error().code() == Errc::invalid_argument);
  CHECK(bad.error().message() == "no digit: x");
  CHECK(parse_digit('x').value_or(3) == 3);
  CHECK(parse_digit('5').value_or(3) == 5);
}

TEST_CASE("value() of an error throws a system_error that says it all", "[result]") {
  try {
    static_cast<void>(parse_digit('x').value());
    FAIL("did not throw");
  } catch (const std::system_error& e) {
    CHECK(e.code() == Errc::invalid_argument);
    CHECK(std::string(e.what()).find("no digit: x") != std::string::npos);
  }
  CHECK_THROWS_AS(require_digits("1x").value(), std::system_error);
  CHECK_NOTHROW(require_digits("12").value());
}

TEST_CASE("try and check hand errors on", "[result]") {
  CHECK(*sum_of_digits("1234") == 10);
  CHECK(sum_of_digits("12z4").error().message() == "no digit: z");
  CHECK(require_digits("1234"));
  CHECK(require_digits("12z4").error().message() == "no digit: z");
  CHECK(size_of_map().value() == 1);
}

TEST_CASE("values that only move are handed out", "[result]") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = std::move(result).value();
  REQUIRE(taken);
  CHECK(*taken == 5);
}

TEST_CASE("a range-for over the value of a temporary keeps it alive", "[result]") {
  std::string copy;
  for (const char c : text_result().value()) copy += c;
  CHECK(copy == "a text that is too long for no heap");
  copy.clear();
  for (const char c : *text_result()) copy += c;
  CHECK(copy == "a text that is too long for no heap");
}
