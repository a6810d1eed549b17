#include "catch.hpp"
#include "fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::AppendOrigin;
using storage::Log;
using storage::LogOptions;

namespace {

LogOptions delayed_options() {
  LogOptions options;
  options.delayed_delivery = true;
  options.retention_ms = std::chrono::seconds(1);
  return options;
}

}  // namespace

TEST_CASE("Retention of a log with delayed delivery goes as far as it is let",
          "[storage][delayed]") {
  const Place place(true);
  testing::ManualClock clock(Timestamp{1'700'000'000'000});
  const auto log = Log::open(place.directory, delayed_options(), {&clock, {}}).value();
  for (std::int64_t first = 0; first < 30; first += 10) {
    append(*log, numbered(first, 10));
    log->roll().value();
  }
  log->flush().value();
  CHECK(log->apply_retention().value() == 0);
  log->keep_from(Offset{15});
  CHECK(log->apply_retention().value() == 1);
  CHECK(log->log_start_offset() == Offset{10});
  log->delete_before(Offset{20}).value();  // is not retention
  CHECK(log->log_start_offset() == Offset{20});
  log->keep_from(Offset{30});
  CHECK(log->apply_retention().value() == 1);
  LogOptions ordinary = delayed_options();
  ordinary.delayed_delivery = false;
  log->keep_from(Offset{0});
  append(*log, numbered(30, 10));
  log->roll().value();
  log->flush().value();
  log->set_options(ordinary);
  CHECK(log->apply_retention().value() == 1);
}

TEST_CASE("A copy is never earlier than its time, nor too large", "[storage][delayed]") {
  const Place place(true);
  testing::ManualClock clock(Timestamp{1'700'000'000'000});
  LogOptions options = delayed_options();
  options.timestamp_type = record::TimestampType::log_append_time;
  options.max_message_bytes = 200;
  const auto log = Log::open(place.directory, options, {&clock, {}}).value();
  auto copy = batch_of(numbered(0, 1, 300, 1'700'000'000'007));
  auto same = copy;
  CHECK(log->append(same).error().code() == Errc::record_too_large);
  const auto done = log->append(copy, LeaderEpoch{0}, AppendOrigin::delivery).value();
  CHECK(done.append_time == Timestamp{1'700'000'000'007});
  clock.advance(std::chrono::seconds(1));
  auto late = batch_of(numbered(0, 1, 10, 1'700'000'000'007));
  CHECK(log->append(late, LeaderEpoch{0}, AppendOrigin::delivery).value().append_time ==
        clock.now());
}

TEST_CASE("The control block tells attachments whether records are hidden", "[storage][delayed]") {
  const Place place(true);
  const auto log = Log::open(place.directory, delayed_options(), {}).value();
  CHECK(log->control().delayed.load() == 1);
  log->set_options({});
  CHECK(log->control().delayed.load() == 0);
}
