// The bytes that docs/log_format.md promises, written out.
#include <cstddef>
#include <cstring>
#include <millrace/storage/checkpoint.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/index_builder.hpp>
#include <millrace/storage/tidy.hpp>

#include "catch.hpp"
#include "storage/fixture.hpp"

using namespace millrace;
using namespace millrace::storage;
using millrace::test::Place;

namespace {

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    out += digits[u >> 4];
    out += digits[u & 15];
  }
  return out;
}

/// Two records, the second without a key.
std::vector<std::byte> golden_batch(std::int64_t offset, std::int64_t time) {
  auto bytes = test::batch_of({{0, time, "k", "value"}, {1, time + 1, std::nullopt, "v"}});
  record::stamp_batch(bytes, Offset{offset}, LeaderEpoch{3});
  return bytes;
}

}  // namespace

TEST_CASE("a batch on disk has these bytes", "[storage][format]") {
  const auto batch = golden_batch(42, 1000);
  // Offset, length, epoch, magic, CRC, attributes, last delta, two times, producer, count, records.
  CHECK(hex(as_text(batch)) ==
        "000000000000002a"
        "00000046"
        "00000003"
        "02"
        "15eaff12"
        "0000"
        "00000001"
        "00000000000003e8"
        "00000000000003e9"
        "ffffffffffffffff"
        "ffff"
        "ffffffff"
        "00000002"
        "18"
        "00"
        "00"
        "00"
        "02"
        "6b"
        "0a"
        "76616c7565"
        "00"
        "0e"
        "00"
        "02"
        "02"
        "01"
        "02"
        "76"
        "00");
}

TEST_CASE("index entries have these bytes", "[storage][format]") {
  Place place(true);
  const auto first = golden_batch(1000, 5000);
  const auto second = golden_batch(1002, 6000);
  std::vector<std::byte> log = first;
  log.insert(log.end(), second.begin(), second.end());
  REQUIRE(write_indexes(place.directory, Offset{1000}, log));
  CHECK(hex(place.directory->read_file("00000000000000001000.timeindex").value()) ==
        "0000000000001771"
        "00000003");
  {
    OffsetIndex offsets;
    TimeIndex times;
    REQUIRE(offsets.open(place.directory, Offset{7}, IndexMode::active, 4096));
    REQUIRE(times.open(place.directory, Offset{7}, IndexMode::active, 4096));
    REQUIRE(offsets.file().reserve(2));
    REQUIRE(times.file().reserve(2));
    append_index_entries(offsets, times, record::BatchView::try_parse(golden_batch(9, 5000)),
                         0x01020304, {Timestamp{0x0102030405060708}, Offset{10}});
    REQUIRE(offsets.file().seal(false));
    REQUIRE(times.file().seal(false));
  }
  CHECK(hex(place.directory->read_file("00000000000000000007.index").value()) ==
        "00000003"
        "01020304");
  CHECK(hex(place.directory->read_file("00000000000000000007.timeindex").value()) ==
        "0102030405060708"
        "00000003");
}

TEST_CASE("the control block has its fields at these positions", "[storage][format]") {
  static_assert(sizeof(ControlBlock) == 256);
  static_assert(offsetof(ControlBlock, magic) == 0);
  static_assert(offsetof(ControlBlock, version) == 8);
  static_assert(offsetof(ControlBlock, state) == 12);
  static_assert(offsetof(ControlBlock, active_file) == 16);
  static_assert(offsetof(ControlBlock, compacted) == 56);
  static_assert(offsetof(ControlBlock, checksum) == 60);
  static_assert(offsetof(ControlBlock, high_watermark) == 64);
  static_assert(offsetof(ControlBlock, log_end_offset) == 72);
  static_assert(offsetof(ControlBlock, active_base_offset) == 80);
  static_assert(offsetof(ControlBlock, active_end) == 88);
  static_assert(offsetof(ControlBlock, flushed_offset) == 128);
  static_assert(offsetof(ControlBlock, log_start_offset) == 136);
  static_assert(offsetof(ControlBlock, segments_generation) == 144);
  static_assert(offsetof(ControlBlock, first_unstable_offset) == 152);
  static_assert(offsetof(ControlBlock, epoch_start) == 160);
  static_assert(offsetof(ControlBlock, leader_epoch) == 168);
  static_assert(offsetof(ControlBlock, delayed) == 172);
  static_assert(offsetof(ControlBlock, producer_snapshot) == 176);
  static_assert(offsetof(ControlBlock, first_unsaved_offset) == 184);
  static_assert(offsetof(ControlBlock, sleepers) == 192);

  Place place(false);
  auto control = ControlFile::open_owner(place.directory).value();
  control.initialise();
  ControlBlock& block = control.block();
  block.log_end_offset.store(0x0102);
  block.high_watermark.store(0x0101);
  block.flushed_offset.store(0x0101);
  block.log_start_offset.store(0x0100);
  block.active_end.store(0x2000);
  control.seal();
  const std::string bytes = place.directory->read_file(ControlFile::name).value();
  REQUIRE(bytes.size() == 4096);
  CHECK(hex(bytes.substr(0, 8)) == "316d72706374726c");
  const auto word = [&](std::size_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  };
  CHECK(word(8) == (std::uint64_t{2} << 32 | 2));  // clean, version 2
  CHECK(word(56) >> 32 == 0x0cd68bf7);             // the seal
  CHECK(word(64) == 0x0101);
  CHECK(word(72) == 0x0102);
  CHECK(word(88) == 0x2000);
  CHECK(word(128) == 0x0101);
  CHECK(word(136) == 0x0100);
  CHECK(word(152) == 0x7fffffffffffffff);
  CHECK((word(168) & 0xffffffff) == 0xffffffff);
  CHECK(bytes.find_first_not_of('\0', 256) == std::string::npos);
}

TEST_CASE("checkpoints are Kafka's text", "[storage][format]") {
  CHECK(format_checkpoint({"orders 0 42", "orders 1 7"}) == "0\n2\norders 0 42\norders 1 7\n");
  Place place(true);
  EpochCache epochs;
  REQUIRE(epochs.assign(LeaderEpoch{0}, Offset{0}));
  REQUIRE(epochs.assign(LeaderEpoch{4}, Offset{100}));
  REQUIRE(epochs.save(place.directory));
  CHECK(place.directory->read_file("leader-epoch-checkpoint").value() == "0\n2\n0 0\n4 100\n");
  REQUIRE(begin_exchange(place.directory, {Offset{10}, Offset{30}}));
  CHECK(place.directory->read_file("segment-exchange").value() == "0\n1\n10 30 1923506196\n");
}

TEST_CASE("file names are Kafka's", "[storage][format]") {
  CHECK(file_name(Offset{42}, log_suffix) == "00000000000000000042.log");
  CHECK(file_name(Offset{42}, offset_index_suffix) == "00000000000000000042.index");
  CHECK(file_name(Offset{42}, time_index_suffix) == "00000000000000000042.timeindex");
  CHECK(file_name(Offset{INT64_MAX}, log_suffix) == "09223372036854775807.log");
  CHECK(parse_file_name("00000000000000000042.log", log_suffix) == Offset{42});
  CHECK_FALSE(parse_file_name("42.log", log_suffix));
  CHECK_FALSE(parse_file_name("00000000000000000042.log.swap", log_suffix));
  CHECK_FALSE(parse_file_name("99999999999999999999.log", log_suffix));
}
