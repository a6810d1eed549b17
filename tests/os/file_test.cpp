#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <millrace/os/directory.hpp>
#include <millrace/os/file.hpp>
#include <millrace/testing/faulty_io.hpp>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using os::IoOp;
using os::OpenMode;
using testing::FaultyIo;

namespace {

/// A new file "x" on disk or in memory, whose calls a FaultyIo watches.
struct Place {
  test::TempDirectory temp;
  FaultyIo io;
  os::DirectoryPtr directory;
  os::File file;

  explicit Place(bool in_memory)
      : directory(in_memory ? os::make_memory_directory(&io)
                            : os::open_directory(temp.path(), false, &io).value()),
        file(directory->open("x", OpenMode::create).value()) {}
};

/// Files of this process cannot grow beyond a limit as long as this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit old_{};
  sighandler_t handler_;
};

bool mentions(const Error& error, const std::string& text) {
  return error.message().find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a file reads back what was written where", "[os][file]") {
  Place place(GENERATE(false, true));
  os::File& file = place.file;
  file.write_at(as_bytes("world"), 6).value();
  file.write_at(as_bytes("hello"), 0).value();
  file.write_at({}, 100).value();
  CHECK(file.size().value() == 11);
  CHECK(file.read_all().value() == std::string("hello\0world", 11));
  std::array<std::byte, 8> out{};
  CHECK(file.read_at(out, 6).value() == 5);
  CHECK(as_text(Bytes(out).first(5)) == "world");
  CHECK(file.read_at(out, 11).value() == 0);
  file.resize(3).value();
  CHECK(file.read_all().value() == "hel");
  file.resize(5).value();
  CHECK(file.read_all().value() == std::string("hel\0\0", 5));
  file.sync().value();
  file.drop_cache().value();
  CHECK(file.size().value() == 5);
}

TEST_CASE("read_all takes long files and refuses those over the limit", "[os][file]") {
  Place place(true);
  std::string text(200'000, 'a');
  text.back() = 'b';
  place.file.write_at(as_bytes(text), 0).value();
  CHECK(place.file.read_all().value() == text);
  CHECK(place.file.read_all(text.size()).value() == text);
  const auto refused = place.file.read_all(text.size() - 1);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == Errc::corrupt_data);
  CHECK(mentions(refused.error(), place.file.path()));
}

TEST_CASE("a file closes its descriptor once, whoever owns it last", "[os][file]") {
  Place place(false);
  const int fd = place.file.descriptor();
  {
    os::File moved = std::move(place.file);
    CHECK_FALSE(place.file.is_open());
    CHECK(moved.descriptor() == fd);
    os::File other = place.directory->open("y", OpenMode::create).value();
    const int other_fd = other.descriptor();
    other = std::move(moved);
    CHECK(other.descriptor() == fd);
    CHECK(other.path() == place.directory->path() + "/x");
    CHECK(::fcntl(other_fd, F_GETFD) == -1);
    CHECK(::fcntl(fd, F_GETFD) != -1);
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(::fcntl(fd, F_GETFD) == -1);
}

TEST_CASE("a write that the disk has no room for leaves the bytes that fitted", "[os][file]") {
  Place place(GENERATE(false, true));
  place.io.fail({.os_code = ENOSPC, .ops = {IoOp::write}, .short_write_bytes = 4});
  const auto refused = place.file.write_at(as_bytes("hello world"), 7);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == Errc::no_space);
  CHECK(refused.error().os_code() == ENOSPC);
  CHECK(mentions(refused.error(), "writing 11 bytes at 7 of " + place.file.path()));
  CHECK(mentions(refused.error(), "free some space"));
  CHECK(place.file.read_all().value() == std::string("\0\0\0\0\0\0\0hell", 11));
  place.file.write_at(as_bytes("hello world"), 7).value();
  CHECK(place.file.size().value() == 18);
}

TEST_CASE("a write that the kernel cuts short goes on to the real error", "[os][file]") {
  Place place(false);
  constexpr std::size_t limit_bytes = 64 << 10;
  const std::string text(3 * limit_bytes, 'x');
  {
    const FileSizeLimit limit(limit_bytes);
    const auto refused = place.file.write_at(as_bytes(text), 10);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().os_code() == EFBIG);
  }
  CHECK(place.file.size().value() == limit_bytes);
}

TEST_CASE("every failing call says what it was doing to which file", "[os][file]") {
  Place place(GENERATE(false, true));
  os::File& file = place.file;
  place.io.fail({.os_code = EIO, .for_ever = true});
  std::array<std::byte, 8> out{};
  const std::vector<std::pair<std::string, Error>> errors = {
      {"reading 8 bytes at 3", file.read_at(out, 3).error()},
      {"writing 1 bytes at 2", file.write_at(as_bytes("x"), 2).error()},
      {"reserving 9 bytes at 5", file.reserve(5, 9).error()},
      {"resizing", file.resize(7).error()},
      {"syncing", file.sync().error()},
      {"dropping", file.drop_cache().error()},
      {"size", file.size().error()},
      {"size", file.allocated_bytes().error()},
      {"identity", file.identity().error()},
      {"writing 4 bytes at 0", file.write_zeros(0, 4, 4096).error()},
      {"reading", file.read_all().error()},
  };
  for (const auto& [doing, error] : errors) {
    CAPTURE(doing, error.message());
    CHECK(error.code() == Errc::io_error);
    CHECK(error.os_code() == EIO);
    CHECK(mentions(error, doing));
    CHECK(mentions(error, file.path()));
    CHECK(mentions(error, "check the disk"));
  }
  place.io.heal();
  CHECK(file.size().value() == 0);
}

TEST_CASE("reserve backs a range with blocks and keeps what is there", "[os][file]") {
  Place place(GENERATE(false, true));
  const bool fallback = GENERATE(false, true);
  CAPTURE(place.directory->in_memory(), fallback);
  if (fallback) place.io.fail({.os_code = EOPNOTSUPP, .ops = {IoOp::reserve}, .for_ever = true});
  os::File& file = place.file;
  file.reserve(0, 0).value();
  CHECK(file.size().value() == 0);
  constexpr std::uint64_t length = 3 << 20;
  file.resize(1 << 20).value();
  file.write_at(as_bytes("kept"), 300'000).value();
  file.reserve(100, length).value();
  CHECK(file.size().value() == length + 100);
  if (!fallback || place.directory->in_memory()) CHECK(file.allocated_bytes().value() >= length);
  std::string expected(length + 100, '\0');
  expected.replace(300'000, 4, "kept");
  CHECK(file.read_all().value() == expected);
  file.reserve(0, 4096).value();
  CHECK(file.size().value() == length + 100);
}

TEST_CASE("a reserve that fails leaves the size as it was", "[os][file]") {
  Place place(false);
  place.file.write_at(as_bytes("kept"), 0).value();
  SECTION("refused by the system") {
    const FileSizeLimit limit(64 << 10);
    CHECK(place.file.reserve(0, 1 << 20).error().os_code() == EFBIG);
  }
  SECTION("out of space half-way, without fallocate") {
    place.io.fail({.os_code = EOPNOTSUPP, .ops = {IoOp::reserve}});
    place.io.fail({.nth = 2, .os_code = ENOSPC, .ops = {IoOp::write}, .short_write_bytes = 99});
    CHECK(place.file.reserve(0, 3 << 20).error().code() == Errc::no_space);
    CHECK(place.io.failures().size() == 2);
  }
  CHECK(place.file.read_all().value() == "kept");
}

TEST_CASE("zeros are written in pieces", "[os][file]") {
  Place place(GENERATE(false, true));
  place.file.write_at(as_bytes(std::string(10'000, 'x')), 0).value();
  const auto before = place.io.calls(IoOp::write);
  place.file.write_zeros(1'000, 8'000, 4096).value();
  CHECK(place.io.calls(IoOp::write) - before == 2);
  CHECK(place.file.read_all().value() ==
        std::string(1'000, 'x') + std::string(8'000, '\0') + std::string(1'000, 'x'));
  place.file.write_zeros(0, 5 << 20, std::size_t{1} << 30).value();
  CHECK(place.io.calls(IoOp::write) - before == 7);
  CHECK(place.file.read_all().value() == std::string(5 << 20, '\0'));
}

TEST_CASE("a file has one identity, whoever opens it", "[os][file]") {
  Place place(GENERATE(false, true));
  const auto identity = place.file.identity().value();
  REQUIRE(identity.known());
  CHECK(identity.boot_id != std::array<std::uint8_t, 16>{});
  const auto again = place.directory->open("x", OpenMode::read_only).value();
  CHECK(again.identity().value() == identity);
  const auto other = place.directory->open("y", OpenMode::create).value();
  CHECK_FALSE(other.identity().value() == identity);
  CHECK_FALSE(os::FileIdentity{}.known());
}

TEST_CASE("a file knows when it was modified", "[os][file]") {
  Place place(false);
  const timespec times[2] = {{1'000, 0}, {1'600'000'000, 123'456'789}};
  REQUIRE(::futimens(place.file.descriptor(), times) == 0);
  CHECK(place.file.modified().value() == Timestamp{1'600'000'000'123});
}
