#include <millrace/storage/attached_log.hpp>

#include "catch.hpp"
#include "fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::AttachedLog;
using storage::WritePath;

namespace {

storage::LogOptions visible_at_once() {
  storage::LogOptions options;
  options.write_path = WritePath::mapped;
  options.visible_on_append = true;
  return options;
}

}  // namespace

TEST_CASE("an attachment lives through blocks that the owner gives back", "[storage][attached]") {
  const Place place(false);
  auto log = open_log(place.directory, visible_at_once());
  std::vector<PlainRecord> expected = numbered(0, 300);
  append(*log, expected);
  const auto attached = AttachedLog::open(place.directory).value();
  SECTION("opened before it looks") {
    attached->segments().value()->segments.front()->open().value();
  }
  SECTION("looked at before, and grown again since") {
    CHECK(difference(read_all(*attached, Offset{0}, attached->visible_end()), expected) == "");
  }
  // Closing cuts the file to what is in it; the reader's map is of what it was.
  log->close().value();
  CHECK(difference(read_all(*attached, Offset{0}, attached->visible_end()), expected) == "");
  log = open_log(place.directory, visible_at_once());
  const auto more = numbered(300, 1000);
  append(*log, more);
  expected.insert(expected.end(), more.begin(), more.end());
  CHECK(difference(read_all(*attached, Offset{0}, attached->visible_end()), expected) == "");
  log->close().value();
  const storage::SegmentPtr segment = attached->segments().value()->segments.front();
  segment->refresh().value();
  CHECK(segment->check_readable(segment->end(), 1).has_value());
  CHECK(difference(read_all(*attached, Offset{250}, attached->visible_end()),
                   {expected.begin() + 250, expected.end()}) == "");
}

TEST_CASE("an attachment that looks away while the log is cut and grows again",
          "[storage][attached]") {
  const Place place(false);
  auto log = open_log(place.directory, visible_at_once());
  append(*log, numbered(0, 3));
  append(*log, numbered(3, 3));
  log->roll().value();
  append(*log, numbered(6, 3));
  const auto attached = AttachedLog::open(place.directory).value();
  CHECK(difference(read_all(*attached, Offset{0}, attached->visible_end()), numbered(0, 9)) == "");
  log->truncate_to(Offset{3}).value();
  append(*log, numbered(3, 30));
  log->roll().value();
  append(*log, numbered(33, 3));
  CHECK(difference(read_all(*attached, Offset{0}, attached->visible_end()), numbered(0, 36)) == "");
}

TEST_CASE("an attachment finds a batch that crosses the end it knows", "[storage][attached]") {
  const Place place(false);
  storage::LogOptions options;
  options.visible_on_append = true;
  options.cleanup_compact = true;
  auto log = open_log(place.directory, options);
  append(*log, numbered(0, 3));
  append(*log, numbered(3, 3));
  log->close().value();  // the file ends where the batches do
  log = open_log(place.directory, options);
  log->truncate_to(Offset{3}).value();
  const auto attached = AttachedLog::open(place.directory).value();
  CHECK(read_all(*attached, Offset{0}, attached->visible_end()).size() == 3);
  auto behind_hole = batch_of(numbered(10, 30));
  record::stamp_batch(behind_hole, Offset{10}, LeaderEpoch{0});
  log->append_as_given(behind_hole).value();
  CHECK(difference(read_all(*attached, Offset{5}, attached->visible_end()), numbered(10, 30)) ==
        "");
}

TEST_CASE("an attachment finds a time that came after it looked", "[storage][attached]") {
  const Place place(false);
  auto log = open_log(place.directory, visible_at_once());
  append(*log, numbered(0, 3));
  const auto attached = AttachedLog::open(place.directory).value();
  const auto find = [&](std::int64_t number) {
    return storage::find_time(*attached, Timestamp{1'600'000'000'000 + number},
                              attached->visible_end())
        .value();
  };
  CHECK(find(2)->offset == Offset{2});
  append(*log, numbered(3, 3));
  REQUIRE(find(5));
  CHECK(find(5)->offset == Offset{5});
}

TEST_CASE("a closed log whose control file was changed is not attached to", "[storage][attached]") {
  const Place place(false);
  auto log = open_log(place.directory, visible_at_once());
  append(*log, numbered(0, 300));
  log->close().value();
  REQUIRE(AttachedLog::open(place.directory));
  {
    const auto control = storage::ControlFile::attach(place.directory).value();
    control.block().high_watermark.store(256);  // one bit
  }
  const auto attached = AttachedLog::open(place.directory);
  REQUIRE_FALSE(attached);
  CHECK(attached.error().code() == Errc::corrupt_data);
  CHECK_THAT(
      attached.error().message(),
      Catch::Matchers::Contains("its control file is damaged; it is rebuilt when its owner"));
  // Which it is.
  CHECK(open_log(place.directory, visible_at_once())->high_watermark() == Offset{300});
}
