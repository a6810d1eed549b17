#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <millrace/os/directory.hpp>
#include <millrace/os/io_hooks.hpp>
#include <millrace/os/mapping.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <utility>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using os::IoOp;
using os::MapMode;
using os::Mapping;
using os::OpenMode;

namespace {

struct Watch final : os::IoHooks {
  std::vector<os::IoCall> done;
  void after(const os::IoCall& call) noexcept override { done.push_back(call); }
};

struct Place {
  test::TempDirectory temp;
  Watch watch;
  testing::FaultyIo io{&watch};
  os::DirectoryPtr directory;
  os::File file;

  explicit Place(bool in_memory, std::uint64_t size)
      : directory(in_memory ? os::make_memory_directory(&io)
                            : os::open_directory(temp.path(), false, &io).value()),
        file(directory->open("x", OpenMode::create).value()) {
    file.resize(size).value();
  }
};

const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));

void store(const Mapping& mapping, std::uint64_t position, std::string_view text) {
  std::memcpy(mapping.data() + position, text.data(), text.size());
}

bool kernel_populates() {
  void* one = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool known = ::madvise(one, page, 23) == 0;
  ::munmap(one, page);
  return known;
}

}  // namespace

TEST_CASE("a map shares its bytes with the file and with other maps", "[os][mapping]") {
  Place place(GENERATE(false, true), 3 * page);
  const auto writer = Mapping::map(place.file, 3 * page, MapMode::read_write).value();
  const auto reader_file = place.directory->open("x", OpenMode::read_only).value();
  const auto reader = Mapping::map(reader_file, page, MapMode::read_only).value();
  REQUIRE(writer.is_mapped());
  CHECK(writer.length() == 3 * page);
  store(writer, 5, "mapped");
  CHECK(std::memcmp(reader.data() + 5, "mapped", 6) == 0);
  CHECK(place.file.read_all().value().substr(5, 6) == "mapped");
  place.file.write_at(as_bytes("WRITTEN"), page - 3).value();
  CHECK(std::memcmp(writer.data() + page - 3, "WRITTEN", 7) == 0);
}

TEST_CASE("a map may be longer than its file, and outlives file and name", "[os][mapping]") {
  Place place(GENERATE(false, true), 0);
  auto mapping = Mapping::map(place.file, 64 * page, MapMode::read_write).value();
  place.file.reserve(0, 2 * page).value();
  store(mapping, 2 * page - 3, "end");
  place.directory->remove("x").value();
  place.file = {};
  mapping.sync(0, 2 * page).value();
  Mapping moved = std::move(mapping);
  CHECK_FALSE(mapping.is_mapped());
  CHECK(std::memcmp(moved.data() + 2 * page - 3, "end", 3) == 0);
  moved = Mapping();
  CHECK_FALSE(moved.is_mapped());
}

TEST_CASE("a map that cannot be made says so", "[os][mapping]") {
  Place place(false, page);
  CHECK(Mapping::map(place.file, 0, MapMode::read_only).error().code() == Errc::invalid_argument);
  const auto reader = place.directory->open("x", OpenMode::read_only).value();
  CHECK(Mapping::map(reader, page, MapMode::read_write).error().os_code() == EACCES);
  place.io.fail({.os_code = ENOMEM, .ops = {IoOp::map}});
  const auto refused = Mapping::map(place.file, page, MapMode::read_write);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().os_code() == ENOMEM);
  CHECK(refused.error().message().find("max_map_count") != std::string::npos);
  CHECK(refused.error().message().find(place.file.path()) != std::string::npos);
}

TEST_CASE("ranges outside the map are refused", "[os][mapping]") {
  Place place(false, 4 * page);
  const auto mapping = Mapping::map(place.file, 2 * page, MapMode::read_write).value();
  const auto [position, length] = GENERATE(table<std::uint64_t, std::uint64_t>(
      {{0, 2 * page + 1}, {2 * page, 1}, {3 * page, 1}, {1, ~std::uint64_t{0}}}));
  CAPTURE(position, length);
  CHECK(mapping.sync(position, length).error().code() == Errc::invalid_argument);
  CHECK(mapping.populate_read(position, length).error().code() == Errc::invalid_argument);
  CHECK(mapping.populate_write(position, length).error().code() == Errc::invalid_argument);
  mapping.sync(2 * page, 0).value();
}

TEST_CASE("sync and populate work on whole pages", "[os][mapping]") {
  Place place(GENERATE(false, true), 8 * page);
  const auto mapping = Mapping::map(place.file, 8 * page, MapMode::read_write).value();
  mapping.populate_write(page + 1, page).value();
  mapping.populate_read(5 * page - 1, 2).value();
  store(mapping, 2 * page - 1, "xy");
  place.watch.done.clear();
  mapping.sync(2 * page - 1, 2).value();
  REQUIRE(place.watch.done.size() == 1);
  CHECK(place.watch.done[0].op == IoOp::sync_range);
  CHECK(place.watch.done[0].path == "x");
  CHECK(place.watch.done[0].position == page);
  CHECK(place.watch.done[0].length == 2 * page);
}

TEST_CASE("pages that are dropped keep what was stored, and can be stored to again",
          "[os][mapping]") {
  Place place(GENERATE(false, true), 4 * page);
  const auto mapping = Mapping::map(place.file, 4 * page, MapMode::read_write).value();
  mapping.populate_write(0, 4 * page).value();
  store(mapping, page, "kept");
  store(mapping, 3 * page - 4, "last");
  mapping.drop_pages(1, 3 * page);       // the second and the third
  mapping.drop_pages(4 * page - 1, 1);   // none
  mapping.drop_pages(page, 100 * page);  // no further than the map
  const auto found = [&](std::uint64_t at) {
    return std::string(as_text(Bytes(mapping.data() + at, 4)));
  };
  CHECK(found(page) == "kept");
  CHECK(found(3 * page - 4) == "last");
  store(mapping, page, "more");
  mapping.sync(0, 4 * page).value();
  std::byte bytes[4];
  CHECK(place.file.read_at(bytes, page).value() == 4);
  CHECK(as_text(bytes) == "more");
}

TEST_CASE("pages that cannot be backed are an error, not a signal", "[os][mapping]") {
  if (!kernel_populates()) {
    WARN("this kernel has no MADV_POPULATE_WRITE");
    return;
  }
  Place place(GENERATE(false, true), page);
  const auto mapping = Mapping::map(place.file, 4 * page, MapMode::read_write).value();
  mapping.populate_write(0, page).value();
  for (const auto& outcome :
       {mapping.populate_write(page, page), mapping.populate_read(0, 3 * page)}) {
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code() == Errc::io_error);
    CHECK(outcome.error().message().find("cut short") != std::string::npos);
  }
}

TEST_CASE("hooks can fail what a map does", "[os][mapping]") {
  Place place(GENERATE(false, true), page);
  const auto mapping = Mapping::map(place.file, page, MapMode::read_write).value();
  place.io.fail({.os_code = ENOSPC, .ops = {IoOp::populate}});
  CHECK(mapping.populate_write(0, page).error().code() == Errc::no_space);
  place.io.fail({.os_code = EIO, .ops = {IoOp::populate}});
  CHECK(mapping.populate_read(0, page).error().os_code() == EIO);
  place.io.fail({.os_code = EIO, .ops = {IoOp::sync_range}});
  const auto refused = mapping.sync(0, 10);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message().find("syncing 10 mapped bytes at 0 of") != std::string::npos);
  CHECK(place.io.failures().size() == 3);
}
