#include "ledger.hpp"

#include "catch.hpp"
#include "storage/fixture.hpp"

using namespace millrace;
using namespace millrace::test;

// The books that all of recovery's tests go by: they must notice what they are there to notice.

namespace {

constexpr std::uint32_t count = 8;

Given given(std::uint32_t number) {
  return {.number = number,
          .batch_base = number,
          .time = 1000 + number,
          .key = number,
          .value_bytes = 100};
}

/// A log of records 0 to `count`, of which `skipped` was never appended: what stands there is the
/// record that should come next.
std::unique_ptr<storage::Log> log_without(const Place& place, std::uint32_t skipped) {
  auto log = open_log(place.directory, {});
  for (std::uint32_t number = 0; number < count; ++number) {
    if (number == skipped) continue;
    const Given record = given(number);
    const std::string key = record.key_text();
    const std::string value = record.value_text();
    log->append_record(Timestamp{record.time}, as_bytes(key), as_bytes(value)).value();
  }
  log->flush().value();
  return log;
}

/// The books of a log to which all was appended, and flushed up to `durable`.
Ledger books(std::uint32_t durable) {
  Ledger ledger;
  for (std::uint32_t number = 0; number < count; ++number) {
    ledger.appending(Offset{number}, {given(number)});
    ledger.appended(Offset{number + 1});
  }
  ledger.flushed(Offset{durable});
  return ledger;
}

}  // namespace

TEST_CASE("a log that holds what it was given is found in order", "[recovery][ledger]") {
  const Place place(true);
  const auto log = log_without(place, count);
  CHECK(books(count).check(*log, true) == "");
  CHECK(books(0).check(*log, false) == "");
}

TEST_CASE("a lost record is found out", "[recovery][ledger][canary]") {
  const Place place(true);
  const auto log = log_without(place, count - 1);
  CHECK(books(count).check(*log, false) != "");
  CHECK(books(count - 1).check(*log, true) != "");
  // Never flushed, and the machine lost power: that may be.
  CHECK(books(count - 1).check(*log, false) == "");
}

TEST_CASE("a record in another's place is found out", "[recovery][ledger][canary]") {
  const Place place(true);
  const auto log = log_without(place, 3);
  CHECK(books(count - 1).check(*log, false) != "");
  CHECK(books(0).check(*log, false) != "");
}

TEST_CASE("a record that nobody gave is found out", "[recovery][ledger][canary]") {
  const Place place(true);
  const auto log = log_without(place, count);
  append(*log, numbered(count, 1));
  log->flush().value();
  CHECK(books(count).check(*log, false) != "");
}
