#include <millrace/storage/retention.hpp>

#include "catch.hpp"

using namespace millrace;
using storage::LogOptions;
using storage::SegmentAge;
using storage::segments_to_delete;

namespace {

constexpr Timestamp now{1'000'000};
constexpr Offset all{400};

LogOptions keep_for_ever() {
  LogOptions options;
  options.retention_ms = std::chrono::milliseconds(-1);
  return options;
}

/// Four segments of 100 offsets and 1000 bytes, the newest time a second before the next one's.
std::vector<SegmentAge> four() {
  std::vector<SegmentAge> segments;
  for (std::int64_t i = 0; i < 4; ++i) {
    segments.push_back(
        {Offset{100 * i}, Offset{100 * (i + 1)}, 1000, now - std::chrono::seconds(4 - i)});
  }
  return segments;
}

}  // namespace

TEST_CASE("without limits everything stays", "[storage][retention]") {
  CHECK(segments_to_delete(four(), keep_for_ever(), Offset{0}, all, now) == 0);
}

TEST_CASE("segments go when their newest record is too old", "[storage][retention]") {
  LogOptions options;
  options.retention_ms = std::chrono::milliseconds(2500);
  CHECK(segments_to_delete(four(), options, Offset{0}, all, now) == 2);
  options.retention_ms = std::chrono::milliseconds(3000);  // exactly as old: stays
  CHECK(segments_to_delete(four(), options, Offset{0}, all, now) == 1);
  options.retention_ms = std::chrono::milliseconds(0);  // the active one, too
  CHECK(segments_to_delete(four(), options, Offset{0}, all, now) == 4);
  options.cleanup_delete = false;
  CHECK(segments_to_delete(four(), options, Offset{0}, all, now) == 0);
}

TEST_CASE("segments go while the rest has retention.bytes without them", "[storage][retention]") {
  LogOptions options = keep_for_ever();
  options.retention_bytes = 2000;
  CHECK(segments_to_delete(four(), options, Offset{0}, all, now) == 2);
  options.retention_bytes = 2001;
  CHECK(segments_to_delete(four(), options, Offset{0}, all, now) == 1);
  options.retention_bytes = 0;  // the active one stays
  CHECK(segments_to_delete(four(), options, Offset{0}, all, now) == 3);
}

TEST_CASE("segments wholly below the log's start go whatever the policy", "[storage][retention]") {
  LogOptions options = keep_for_ever();
  options.cleanup_delete = false;
  CHECK(segments_to_delete(four(), options, Offset{199}, all, now) == 1);
  CHECK(segments_to_delete(four(), options, Offset{200}, all, now) == 2);
}

TEST_CASE("nothing above the high watermark goes", "[storage][retention]") {
  LogOptions options;
  options.retention_ms = std::chrono::milliseconds(0);
  CHECK(segments_to_delete(four(), options, Offset{0}, Offset{199}, now) == 1);
  CHECK(segments_to_delete(four(), options, Offset{0}, Offset{99}, now) == 0);
}

TEST_CASE("for ever does not wrap", "[storage][retention]") {
  CHECK(storage::later(now, std::chrono::milliseconds(5)) == Timestamp{1'000'005});
  const Timestamp last{std::numeric_limits<std::int64_t>::max()};
  CHECK(storage::later(now, std::chrono::milliseconds::max()) == last);
  CHECK(storage::later(last, std::chrono::milliseconds(1)) == last);
  CHECK(storage::later(Timestamp{0}, std::chrono::milliseconds::max()) == last);
}
