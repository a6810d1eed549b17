#include "server/security/quotas.hpp"

#include "catch.hpp"

using namespace millrace;
using namespace millrace::server;
using namespace std::chrono_literals;
using Direction = Quotas::Direction;

namespace {
constexpr Clock::Steady begin{1h};
}

TEST_CASE("What one second brings is free, the rest has to be paid off", "[quotas]") {
  Quotas quotas({.of_each = {.producer = 1000}});
  CHECK(quotas.take("a", Direction::producer, 1000, begin) == 0ms);
  CHECK(quotas.take("a", Direction::producer, 500, begin) == 500ms);
  CHECK(quotas.take("a", Direction::producer, 1, begin) == 501ms);
  CHECK(quotas.take("a", Direction::producer, 0, begin + 501ms) == 0ms);
  CHECK(quotas.take("a", Direction::producer, 1, begin + 501ms) == 1ms);
  // However long it was silent, it has what a second brings.
  CHECK(quotas.take("a", Direction::producer, 3000, begin + 1h) == 2000ms);
  // Time that seems to go back brings nothing.
  CHECK(quotas.take("a", Direction::producer, 0, begin) == 2000ms);
}

TEST_CASE("Clients and directions are counted apart", "[quotas]") {
  Quotas quotas({.of_each = {.producer = 10, .consumer = 20},
                 .by_client_id = {{"free", {}}, {"big", {.producer = 1000}}}});
  CHECK(quotas.take("a", Direction::producer, 20, begin) == 1000ms);
  CHECK(quotas.take("b", Direction::producer, 10, begin) == 0ms);
  CHECK(quotas.take("a", Direction::consumer, 20, begin) == 0ms);
  CHECK(quotas.take("a", Direction::consumer, 20, begin) == 1000ms);
  CHECK(quotas.take("free", Direction::producer, 1'000'000, begin) == 0ms);
  CHECK(quotas.take("big", Direction::producer, 1000, begin) == 0ms);
  CHECK(quotas.take("big", Direction::consumer, 1'000'000, begin) == 0ms);
  CHECK(quotas.most_fetch_bytes("a") == 200);
  CHECK(quotas.most_fetch_bytes("big") == std::numeric_limits<std::size_t>::max());
}

TEST_CASE("A debt is not forgotten among many names", "[quotas]") {
  Quotas quotas({.of_each = {.producer = 10}});
  CHECK(quotas.take("debtor", Direction::producer, 10'000'000, begin) == 3'600'000ms);
  for (int i = 0; i < 5000; ++i) {
    quotas.take("client " + std::to_string(i), Direction::producer, 1,
                begin + std::chrono::seconds(i));
  }
  CHECK(quotas.take("debtor", Direction::producer, 0, begin + 5000s) > 0ms);
}
